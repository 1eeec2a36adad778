"""How alembic runs our migrations: on the connection `migrate` hands over, in its transaction."""

from alembic import context

from connector.store.tables import METADATA

context.configure(
    connection=context.config.attributes["connection"],
    version_table=context.config.attributes["version_table"],
    target_metadata=METADATA,
    transactional_ddl=True,
    render_as_batch=True,
)
with context.begin_transaction():
    context.run_migrations()
