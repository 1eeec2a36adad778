-- A small database of schema 0002, as the releases before 0003 had it. Never changed: it is upgraded in the tests.
BEGIN TRANSACTION;
CREATE TABLE agreement (
	id TEXT NOT NULL, 
	negotiation TEXT NOT NULL, 
	role TEXT NOT NULL, 
	peer TEXT NOT NULL, 
	dataset TEXT NOT NULL, 
	state TEXT NOT NULL, 
	document TEXT NOT NULL, 
	digest TEXT NOT NULL, 
	provider_proof TEXT, 
	consumer_proof TEXT, 
	"plan" TEXT, 
	plan_digest TEXT, 
	application TEXT, 
	dataset_document TEXT, 
	expires TEXT, 
	body TEXT NOT NULL, 
	created TEXT NOT NULL, 
	CONSTRAINT pk_agreement PRIMARY KEY (id), 
	CONSTRAINT uq_agreement_negotiation UNIQUE (negotiation), 
	CONSTRAINT fk_agreement_negotiation FOREIGN KEY(negotiation) REFERENCES negotiation (pid)
);
CREATE TABLE alias (
	a INTEGER NOT NULL, 
	b INTEGER NOT NULL, 
	source TEXT NOT NULL, 
	since TEXT NOT NULL, 
	CONSTRAINT pk_alias PRIMARY KEY (a, b), 
	CONSTRAINT fk_alias_a FOREIGN KEY(a) REFERENCES subject (number), 
	CONSTRAINT fk_alias_b FOREIGN KEY(b) REFERENCES subject (number)
);
CREATE TABLE checkpoint (
	size INTEGER NOT NULL, 
	root BLOB NOT NULL, 
	note TEXT NOT NULL, 
	at TEXT NOT NULL, 
	CONSTRAINT pk_checkpoint PRIMARY KEY (size)
);
CREATE TABLE consent_event (
	seq INTEGER NOT NULL, 
	event_id TEXT NOT NULL, 
	subject INTEGER NOT NULL, 
	status TEXT NOT NULL, 
	recipient TEXT NOT NULL, 
	purpose TEXT NOT NULL, 
	category TEXT NOT NULL, 
	at TEXT NOT NULL, 
	valid_until TEXT, 
	notice TEXT, 
	door TEXT NOT NULL, 
	actor TEXT NOT NULL, 
	recorded TEXT NOT NULL, 
	epoch INTEGER NOT NULL, 
	salt BLOB NOT NULL, 
	CONSTRAINT pk_consent_event PRIMARY KEY (seq), 
	CONSTRAINT uq_consent_event_event_id UNIQUE (event_id), 
	CONSTRAINT fk_consent_event_subject FOREIGN KEY(subject) REFERENCES subject (number)
);
CREATE TABLE crawl (
	peer TEXT NOT NULL, 
	tried TEXT NOT NULL, 
	verified TEXT, 
	problem TEXT, 
	CONSTRAINT pk_crawl PRIMARY KEY (peer)
);
CREATE TABLE dataset (
	id TEXT NOT NULL, 
	iri TEXT NOT NULL, 
	version INTEGER NOT NULL, 
	grp TEXT NOT NULL, 
	state TEXT NOT NULL, 
	digest TEXT NOT NULL, 
	about TEXT NOT NULL, 
	revision TEXT, 
	published TEXT NOT NULL, 
	CONSTRAINT pk_dataset PRIMARY KEY (id), 
	CONSTRAINT uq_dataset_iri UNIQUE (iri)
);
INSERT INTO "dataset" VALUES('traces','https://mooc.example/datasets/traces',1,'public','published','sha-256:2222222222222222222222222222222222222222222222222222222222222222','{"title":"Traces"}',NULL,'2026-09-01T08:00:00.000000Z');
CREATE TABLE decision (
	seq INTEGER NOT NULL, 
	process TEXT NOT NULL, 
	kind TEXT NOT NULL, 
	role TEXT, 
	actor TEXT, 
	outcome TEXT NOT NULL, 
	shared TEXT NOT NULL, 
	internal TEXT NOT NULL, 
	at TEXT NOT NULL, 
	CONSTRAINT pk_decision PRIMARY KEY (seq)
);
CREATE TABLE document (
	iri TEXT NOT NULL, 
	dataset TEXT NOT NULL, 
	version INTEGER NOT NULL, 
	digest TEXT NOT NULL, 
	body BLOB NOT NULL, 
	CONSTRAINT pk_document PRIMARY KEY (iri), 
	CONSTRAINT uq_document_dataset_version UNIQUE (dataset, version)
);
INSERT INTO "document" VALUES('https://mooc.example/datasets/traces/v1','traces',1,'sha-256:2222222222222222222222222222222222222222222222222222222222222222',X'7B2276223A317D');
CREATE TABLE head (
	grp TEXT NOT NULL, 
	version INTEGER NOT NULL, 
	digest TEXT NOT NULL, 
	body BLOB NOT NULL, 
	CONSTRAINT pk_head PRIMARY KEY (grp, version)
);
INSERT INTO "head" VALUES('public',1,'sha-256:3333333333333333333333333333333333333333333333333333333333333333',X'7B2276223A317D');
CREATE TABLE inbox (
	"key" TEXT NOT NULL, 
	peer TEXT NOT NULL, 
	digest TEXT NOT NULL, 
	status INTEGER NOT NULL, 
	reply BLOB NOT NULL, 
	at TEXT NOT NULL, 
	CONSTRAINT pk_inbox PRIMARY KEY ("key")
);
CREATE TABLE jti (
	issuer TEXT NOT NULL, 
	jti TEXT NOT NULL, 
	expires TEXT NOT NULL, 
	CONSTRAINT pk_jti PRIMARY KEY (issuer, jti)
);
CREATE TABLE known_dataset (
	peer TEXT NOT NULL, 
	iri TEXT NOT NULL, 
	grp TEXT NOT NULL, 
	digest TEXT NOT NULL, 
	card TEXT NOT NULL, 
	CONSTRAINT pk_known_dataset PRIMARY KEY (peer, iri)
);
CREATE TABLE known_head (
	peer TEXT NOT NULL, 
	grp TEXT NOT NULL, 
	version INTEGER NOT NULL, 
	digest TEXT NOT NULL, 
	etag TEXT, 
	did_document TEXT NOT NULL, 
	body BLOB NOT NULL, 
	at TEXT NOT NULL, 
	CONSTRAINT pk_known_head PRIMARY KEY (peer, grp)
);
CREATE TABLE leaf (
	idx INTEGER NOT NULL, 
	type TEXT NOT NULL, 
	agreement TEXT, 
	n INTEGER, 
	bytes BLOB NOT NULL, 
	shared_body TEXT, 
	shared_salt BLOB, 
	private_body TEXT, 
	at TEXT NOT NULL, 
	CONSTRAINT pk_leaf PRIMARY KEY (idx)
);
CREATE TABLE manifest (
	transfer TEXT NOT NULL, 
	body TEXT NOT NULL, 
	receipt TEXT, 
	at TEXT NOT NULL, 
	CONSTRAINT pk_manifest PRIMARY KEY (transfer), 
	CONSTRAINT fk_manifest_transfer FOREIGN KEY(transfer) REFERENCES transfer (pid)
);
CREATE TABLE message (
	seq INTEGER NOT NULL, 
	process TEXT NOT NULL, 
	direction TEXT NOT NULL, 
	type TEXT NOT NULL, 
	digest TEXT NOT NULL, 
	body BLOB NOT NULL, 
	at TEXT NOT NULL, 
	CONSTRAINT pk_message PRIMARY KEY (seq)
);
CREATE TABLE negotiation (
	pid TEXT NOT NULL, 
	role TEXT NOT NULL, 
	peer TEXT NOT NULL, 
	peer_pid TEXT, 
	state TEXT NOT NULL, 
	version INTEGER NOT NULL, 
	body TEXT NOT NULL, 
	created TEXT NOT NULL, 
	updated TEXT NOT NULL, 
	CONSTRAINT pk_negotiation PRIMARY KEY (pid)
);
CREATE TABLE note (
	"key" TEXT NOT NULL, 
	value TEXT NOT NULL, 
	CONSTRAINT pk_note PRIMARY KEY ("key")
);
INSERT INTO "note" VALUES('first','release');
CREATE TABLE outbox (
	seq INTEGER NOT NULL, 
	process TEXT NOT NULL, 
	peer TEXT NOT NULL, 
	url TEXT NOT NULL, 
	type TEXT NOT NULL, 
	body BLOB NOT NULL, 
	state TEXT NOT NULL, 
	attempts INTEGER NOT NULL, 
	next_at TEXT NOT NULL, 
	lease_until TEXT, 
	deadline TEXT, 
	answer_status INTEGER, 
	answer BLOB, 
	created TEXT NOT NULL, 
	CONSTRAINT pk_outbox PRIMARY KEY (seq)
);
CREATE TABLE part (
	transfer TEXT NOT NULL, 
	n INTEGER NOT NULL, 
	issue INTEGER NOT NULL, 
	start INTEGER, 
	stop INTEGER, 
	rows INTEGER NOT NULL, 
	bytes INTEGER NOT NULL, 
	digest TEXT NOT NULL, 
	encoder TEXT, 
	leaf INTEGER, 
	epoch INTEGER, 
	withheld INTEGER, 
	acknowledged TEXT, 
	at TEXT NOT NULL, 
	CONSTRAINT pk_part PRIMARY KEY (transfer, n, issue), 
	CONSTRAINT fk_part_transfer FOREIGN KEY(transfer) REFERENCES transfer (pid)
);
CREATE TABLE peer (
	did TEXT NOT NULL, 
	name TEXT, 
	groups TEXT NOT NULL, 
	added TEXT NOT NULL, 
	head TEXT NOT NULL, 
	did_document TEXT, 
	"key" TEXT, 
	CONSTRAINT pk_peer PRIMARY KEY (did)
);
INSERT INTO "peer" VALUES('did:web:lab.example','Laboratoire','["labs"]','2026-09-01T08:00:00.000000Z','{"public":{"version":3,"digest":"sha-256:1111111111111111111111111111111111111111111111111111111111111111"}}',NULL,NULL);
CREATE TABLE revision (
	id TEXT NOT NULL, 
	dataset TEXT NOT NULL, 
	folder TEXT NOT NULL, 
	rows INTEGER NOT NULL, 
	persons INTEGER NOT NULL, 
	meta TEXT NOT NULL, 
	created TEXT NOT NULL, 
	CONSTRAINT pk_revision PRIMARY KEY (id)
);
CREATE TABLE salt (
	agreement TEXT NOT NULL, 
	salt BLOB NOT NULL, 
	CONSTRAINT pk_salt PRIMARY KEY (agreement)
);
CREATE TABLE schema_version (
	version_num VARCHAR(32) NOT NULL, 
	CONSTRAINT schema_version_pkc PRIMARY KEY (version_num)
);
INSERT INTO "schema_version" VALUES('0002');
CREATE TABLE session (
	transfer TEXT NOT NULL, 
	token_hash TEXT, 
	body TEXT NOT NULL, 
	CONSTRAINT pk_session PRIMARY KEY (transfer), 
	CONSTRAINT uq_session_token_hash UNIQUE (token_hash), 
	CONSTRAINT fk_session_transfer FOREIGN KEY(transfer) REFERENCES transfer (pid)
);
CREATE TABLE subject (
	number INTEGER NOT NULL, 
	"key" BLOB NOT NULL, 
	CONSTRAINT pk_subject PRIMARY KEY (number), 
	CONSTRAINT uq_subject_key UNIQUE ("key")
);
CREATE TABLE tick (
	epoch INTEGER NOT NULL, 
	root BLOB NOT NULL, 
	events INTEGER NOT NULL, 
	leaf INTEGER, 
	at TEXT NOT NULL, 
	CONSTRAINT pk_tick PRIMARY KEY (epoch)
);
CREATE TABLE token (
	id TEXT NOT NULL, 
	name TEXT NOT NULL, 
	role TEXT NOT NULL, 
	actor TEXT NOT NULL, 
	hash TEXT NOT NULL, 
	created TEXT NOT NULL, 
	revoked TEXT, 
	CONSTRAINT pk_token PRIMARY KEY (id), 
	CONSTRAINT uq_token_hash UNIQUE (hash)
);
CREATE TABLE transfer (
	pid TEXT NOT NULL, 
	role TEXT NOT NULL, 
	peer TEXT NOT NULL, 
	peer_pid TEXT, 
	agreement TEXT NOT NULL, 
	state TEXT NOT NULL, 
	version INTEGER NOT NULL, 
	body TEXT NOT NULL, 
	created TEXT NOT NULL, 
	updated TEXT NOT NULL, 
	CONSTRAINT pk_transfer PRIMARY KEY (pid), 
	CONSTRAINT fk_transfer_agreement FOREIGN KEY(agreement) REFERENCES agreement (id)
);
CREATE INDEX ix_document_digest ON document (digest);
CREATE INDEX ix_revision_dataset ON revision (dataset);
CREATE INDEX ix_negotiation_peer_peer_pid ON negotiation (peer, peer_pid);
CREATE INDEX ix_message_process ON message (process);
CREATE INDEX ix_decision_process ON decision (process);
CREATE INDEX ix_inbox_at ON inbox (at);
CREATE INDEX ix_outbox_pending ON outbox (process, seq) WHERE state = 'pending';
CREATE INDEX ix_outbox_process_seq ON outbox (process, seq);
CREATE INDEX ix_jti_expires ON jti (expires);
CREATE INDEX ix_transfer_agreement ON transfer (agreement);
CREATE INDEX ix_transfer_peer_peer_pid ON transfer (peer, peer_pid);
CREATE UNIQUE INDEX ix_leaf_agreement_type_n ON leaf (agreement, type, n);
CREATE INDEX ix_consent_event_epoch ON consent_event (epoch);
CREATE INDEX ix_consent_event_recipient_category_epoch ON consent_event (recipient, category, epoch);
CREATE INDEX ix_consent_event_recipient_category_subject ON consent_event (recipient, category, subject);
CREATE INDEX ix_consent_event_subject ON consent_event (subject);
COMMIT;
