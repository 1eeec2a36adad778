package preau.interop;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import org.eclipse.edc.runtime.metamodel.annotation.Inject;
import org.eclipse.edc.spi.EdcException;
import org.eclipse.edc.spi.security.Vault;
import org.eclipse.edc.spi.system.ServiceExtension;
import org.eclipse.edc.spi.system.ServiceExtensionContext;

/**
 * Puts the key pair for data tokens into the vault in memory, which starts empty: the files that
 * the settings preau.vault.private-key and preau.vault.public-key name.
 */
public class SeededVault implements ServiceExtension {
    private static final String[] ALIASES = {"private-key", "public-key"};

    @Inject
    private Vault vault;

    @Override
    public void initialize(ServiceExtensionContext context) {
        for (var alias : ALIASES) {
            var file = context.getConfig().getString("preau.vault." + alias);
            try {
                vault.storeSecret(alias, Files.readString(Path.of(file)));
            } catch (IOException e) {
                throw new EdcException("The key " + alias + " cannot be read from " + file, e);
            }
        }
    }
}
