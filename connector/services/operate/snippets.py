"""What stands around a node: a TLS proxy and a service, as text to start from (docs/operating.md).

Pure: settings in, files out. `preau init` writes them to `DIR/examples` with the node's own names
filled in; nothing reads them back.
"""

from pathlib import Path
from urllib.parse import urlsplit

from connector.base.settings import Settings

CADDY = """\
# Caddy asks for and renews the certificate by itself.
{host} {{
	handle {place} {{
		reverse_proxy {listen} {{
			flush_interval -1
		}}
	}}
}}
"""

NGINX = """\
# The whole path is passed on: a node behind a path serves below it.
server {{
    listen 443 ssl;
    server_name {host};
    ssl_certificate     /etc/letsencrypt/live/{host}/fullchain.pem;
    ssl_certificate_key /etc/letsencrypt/live/{host}/privkey.pem;

    location {location} {{
        proxy_pass http://{listen};
        proxy_http_version 1.1;
        proxy_set_header Host $host;
        proxy_set_header Connection "";
        # Parts leave as they are made, and a stream that breaks must not look complete.
        proxy_buffering off;
        proxy_read_timeout 300s;
        client_max_body_size {body};
    }}
}}
"""

SYSTEMD = """\
# /etc/systemd/system/preau-{name}.service
[Unit]
Description=Préau node {name}
Wants=network-online.target
After=network-online.target

[Service]
User=preau
ExecStart={program} serve {folder}
Restart=on-failure
RestartSec=5
TimeoutStopSec=30
UMask=0077
LimitNOFILE=65536
NoNewPrivileges=yes
PrivateDevices=yes
PrivateTmp=yes
ProtectHome=yes
ProtectKernelTunables=yes
ProtectSystem=strict
ReadWritePaths={folder}
RestrictAddressFamilies=AF_INET AF_INET6 AF_UNIX
RestrictSUIDSGID=yes
SystemCallFilter=@system-service

[Install]
WantedBy=multi-user.target
"""


def examples(settings: Settings, folder: Path, program: str) -> dict[str, str]:
    """The three files by name, for this node."""
    parts = urlsplit(settings.node.public_url)
    path = parts.path.rstrip("/")
    values = {
        "host": parts.netloc,
        "place": f"{path}/*",
        "location": f"{path}/",
        "listen": settings.listen.public,
        "body": settings.limits.message_bytes,
        "name": folder.name,
        "folder": str(folder),
        "program": program,
    }
    return {
        "Caddyfile": CADDY.format(**values),
        "nginx.conf": NGINX.format(**values),
        f"preau-{folder.name}.service": SYSTEMD.format(**values),
    }
