-- A small database of schema 0003, as the releases before 0004 had it. Never changed: it is upgraded in the tests.
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
INSERT INTO "agreement" VALUES('urn:agreement','urn:uuid:1','provider','did:web:lab.example','https://mooc.example/datasets/traces','active','{"v":1,"id":"urn:agreement"}','sha-256:00','{"proofValue":"p"}','{"proofValue":"c"}','{"v":1}','sha-256:01','{"id":"urn:application","purpose":"research","fields":["a","b"]}','{"v":1,"subject":{"id":"https://mooc.example/datasets/traces"}}','2026-11-29T08:00:00.000000Z','{"did":{"id":"did:web:mooc.example"},"peer_did":{"id":"did:web:lab.example"},"wire":{"@id":"urn:agreement","@type":"Agreement","target":"https://mooc.example/datasets/traces"}}','2026-11-20T08:00:00.000000Z');
INSERT INTO "agreement" VALUES('urn:agreement:2','urn:uuid:2','consumer','edc-university','https://mooc.example/datasets/traces','active','{"v":1,"id":"urn:agreement:2"}','sha-256:00','{"proofValue":"p"}',NULL,NULL,NULL,'{"id":"urn:application","purpose":"research","fields":["a","b"]}','{"v":1,"subject":{"id":"https://mooc.example/datasets/traces"}}',NULL,'{"did":{"id":"did:web:mooc.example"},"peer_did":null,"wire":{"@id":"another","@type":"Agreement","target":"https://mooc.example/datasets/traces"},"control":"theirs"}','2026-11-20T08:00:00.000000Z');
CREATE TABLE alias (
	a INTEGER NOT NULL, 
	b INTEGER NOT NULL, 
	source TEXT NOT NULL, 
	since TEXT NOT NULL, 
	CONSTRAINT pk_alias PRIMARY KEY (a, b), 
	CONSTRAINT fk_alias_a FOREIGN KEY(a) REFERENCES subject (number), 
	CONSTRAINT fk_alias_b FOREIGN KEY(b) REFERENCES subject (number)
);
CREATE TABLE attempt (
	outbox INTEGER NOT NULL, 
	n INTEGER NOT NULL, 
	at TEXT NOT NULL, 
	status INTEGER, 
	problem TEXT, 
	answer BLOB, 
	next_at TEXT, 
	CONSTRAINT pk_attempt PRIMARY KEY (outbox, n), 
	CONSTRAINT fk_attempt_outbox FOREIGN KEY(outbox) REFERENCES outbox (seq)
);
INSERT INTO "attempt" VALUES(1,1,'2026-11-20T08:00:00.000000Z',200,NULL,NULL,NULL);
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
INSERT INTO "message" VALUES(1,'urn:uuid:1','out','ContractAgreementMessage','sha-256:a284503ff5d6bc7fa68aaaa8d01e613a92a8dfa14f8681657cec13a13e48e1dc',X'7B224074797065223A22436F6E747261637441677265656D656E744D657373616765222C2261677265656D656E74223A7B22406964223A2275726E3A61677265656D656E74222C224074797065223A2241677265656D656E74222C22746172676574223A2268747470733A2F2F6D6F6F632E6578616D706C652F64617461736574732F747261636573227D7D','2026-11-20T08:00:00.000000Z');
INSERT INTO "message" VALUES(2,'urn:t1','out','TransferStartMessage','sha-256:418a022460bbd8f72e4f62b33023f93ad8e8352728ea8bd5d9f21439a077788f',X'7B224074797065223A225472616E7366657253746172744D657373616765227D','2026-11-20T08:00:00.000000Z');
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
INSERT INTO "negotiation" VALUES('urn:uuid:1','provider','did:web:lab.example','urn:uuid:1-peer','FINALIZED',4,'{"pid":"urn:uuid:1","role":"provider","peer":"did:web:lab.example","peer_pid":"urn:uuid:1-peer","callback":"https://lab.example/dsp","state":"FINALIZED","dataset":"https://mooc.example/datasets/traces","offer_id":"urn:offer","offer":{"@id":"urn:offer","@type":"Offer","permission":[{"action":"use","note":"é"}]},"offered_by":"provider","application":{"id":"urn:application","purpose":"research","fields":["a","b"]},"signed_document":null,"agreement_id":"urn:agreement","agreement":{"@id":"urn:agreement","@type":"Agreement","target":"https://mooc.example/datasets/traces"},"awaiting":[],"code":null,"reasons":[],"terminated_by":null,"version":4,"created":"2026-11-20T08:00:00Z","updated":"2026-11-20T08:00:00Z"}','2026-11-20T08:00:00.000000Z','2026-11-20T08:00:00.000000Z');
INSERT INTO "negotiation" VALUES('urn:uuid:2','provider','did:web:lab.example','urn:uuid:2-peer','FINALIZED',4,'{"pid":"urn:uuid:2","role":"provider","peer":"did:web:lab.example","peer_pid":"urn:uuid:2-peer","callback":"https://lab.example/dsp","state":"FINALIZED","dataset":"https://mooc.example/datasets/traces","offer_id":"urn:offer","offer":{"@id":"urn:offer","@type":"Offer","permission":[{"action":"use","note":"é"}]},"offered_by":"provider","application":{"id":"urn:application","purpose":"research","fields":["a","b"]},"signed_document":null,"agreement_id":"urn:agreement","agreement":{"@id":"urn:agreement","@type":"Agreement","target":"https://mooc.example/datasets/traces"},"awaiting":[],"code":null,"reasons":[],"terminated_by":null,"version":4,"created":"2026-11-20T08:00:00Z","updated":"2026-11-20T08:00:00Z"}','2026-11-20T08:00:00.000000Z','2026-11-20T08:00:00.000000Z');
INSERT INTO "negotiation" VALUES('urn:uuid:3','provider','did:web:lab.example','urn:uuid:3-peer','REQUESTED',1,'{"pid":"urn:uuid:3","role":"provider","peer":"did:web:lab.example","peer_pid":"urn:uuid:3-peer","callback":"https://lab.example/dsp","state":"REQUESTED","dataset":"https://mooc.example/datasets/traces","offer_id":"urn:offer","offer":{"@id":"urn:offer","@type":"Offer","permission":[{"action":"use","note":"é"}]},"offered_by":"provider","application":null,"signed_document":null,"agreement_id":null,"agreement":null,"awaiting":[],"code":null,"reasons":[],"terminated_by":null,"version":1,"created":"2026-11-20T08:00:00Z","updated":"2026-11-20T08:00:00Z"}','2026-11-20T08:00:00.000000Z','2026-11-20T08:00:00.000000Z');
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
INSERT INTO "outbox" VALUES(1,'urn:uuid:1','did:web:lab.example','https://lab.example/a','ContractAgreementMessage',X'7B224074797065223A22436F6E747261637441677265656D656E744D657373616765222C2261677265656D656E74223A7B22406964223A2275726E3A61677265656D656E74222C224074797065223A2241677265656D656E74222C22746172676574223A2268747470733A2F2F6D6F6F632E6578616D706C652F64617461736574732F747261636573227D7D','sent',0,'2026-11-20T08:00:00.000000Z',NULL,NULL,200,X'7B7D','2026-11-20T08:00:00.000000Z');
INSERT INTO "outbox" VALUES(2,'urn:t1','did:web:lab.example','https://lab.example/t','TransferStartMessage',X'7B224074797065223A225472616E7366657253746172744D657373616765222C226461746141646472657373223A7B22746F6B656E223A2274227D7D','pending',0,'2026-11-20T08:00:00.000000Z',NULL,NULL,NULL,NULL,'2026-11-20T08:00:00.000000Z');
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
INSERT INTO "schema_version" VALUES('0003');
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
INSERT INTO "transfer" VALUES('urn:t1','provider','did:web:lab.example','urn:t1-peer','urn:agreement','STARTED',2,'{"pid":"urn:t1","role":"provider","peer":"did:web:lab.example","peer_pid":"urn:t1-peer","callback":"https://lab.example/dsp","state":"STARTED","agreement":"urn:agreement","format":"HttpData-PULL","data_address":null,"sink":null,"started_by":null,"suspended_by":null,"ended_by":null,"code":null,"reasons":[],"control":null,"version":2,"created":"2026-11-20T08:00:00Z","updated":"2026-11-20T08:00:00Z"}','2026-11-20T08:00:00.000000Z','2026-11-20T08:00:00.000000Z');
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
