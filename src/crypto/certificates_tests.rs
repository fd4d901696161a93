//! Real handshakes in memory: a client that trusts the local authority, and servers that it must refuse.

use super::*;
use crate::crypto::SystemChance;
use rustls::time_provider::TimeProvider;
use rustls::{ClientConfig, ClientConnection, ServerConfig, ServerConnection};
use std::os::unix::fs::PermissionsExt;

const NOW: Timestamp = Timestamp::from_micros(1_790_000_000_000_000);

#[derive(Debug)]
struct At(Timestamp);
impl TimeProvider for At {
    fn current_time(&self) -> Option<UnixTime> {
        Some(UnixTime::since_unix_epoch(Duration::from_secs(
            u64::try_from(self.0.micros() / 1_000_000).unwrap(),
        )))
    }
}

fn client(
    ca_pem: &str,
    now: Timestamp,
    versions: &[&'static rustls::SupportedProtocolVersion],
) -> ClientConfig {
    let mut roots = RootCertStore::empty();
    roots.add(tls::read_chain(ca_pem.as_bytes()).unwrap().remove(0)).unwrap();
    let mut config = ClientConfig::builder_with_details(tls::provider(), Arc::new(At(now)))
        .with_protocol_versions(versions)
        .unwrap()
        .with_root_certificates(roots)
        .with_no_client_auth();
    config.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
    config
}

/// A whole handshake; the protocol agreed on, or the client's refusal.
fn handshake(client: ClientConfig, server: ServerConfig, name: &str) -> Result<String, rustls::Error> {
    let name = ServerName::try_from(name.to_owned()).unwrap();
    let mut client = ClientConnection::new(Arc::new(client), name).unwrap();
    let mut server = ServerConnection::new(Arc::new(server)).unwrap();
    for _ in 0..10 {
        let mut wire = Vec::new();
        while client.wants_write() {
            client.write_tls(&mut wire).unwrap();
        }
        let mut rest = wire.as_slice();
        while !rest.is_empty() {
            server.read_tls(&mut rest).unwrap();
            server.process_new_packets()?;
        }
        let mut wire = Vec::new();
        while server.wants_write() {
            server.write_tls(&mut wire).unwrap();
        }
        let mut rest = wire.as_slice();
        while !rest.is_empty() {
            client.read_tls(&mut rest).unwrap();
            client.process_new_packets()?;
        }
        if !client.is_handshaking() && !server.is_handshaking() {
            let alpn = String::from_utf8(client.alpn_protocol().unwrap_or_default().to_vec()).unwrap();
            return Ok(format!("{:?} {alpn}", client.protocol_version().unwrap()));
        }
    }
    panic!("the handshake did not end");
}

fn server(issued: &Issued) -> ServerConfig {
    tls::server_config(issued.server_pem.as_bytes(), issued.server_key_pem.as_bytes()).unwrap()
}

#[test]
fn a_client_that_trusts_the_authority_accepts_localhost_over_both_versions() {
    let issued = issue(&[], NOW, &SystemChance::new()).unwrap();
    for name in LOCAL_NAMES {
        let new = handshake(client(&issued.ca_pem, NOW, &[&rustls::version::TLS13]), server(&issued), name);
        assert_eq!(new, Ok("TLSv1_3 h2".to_owned()), "{name}");
    }
    let old =
        handshake(client(&issued.ca_pem, NOW, &[&rustls::version::TLS12]), server(&issued), "localhost");
    assert_eq!(old, Ok("TLSv1_2 h2".to_owned()));
}

#[test]
fn a_client_refuses_another_name_another_authority_and_another_year() {
    let chance = SystemChance::new();
    let issued = issue(&[], NOW, &chance).unwrap();
    let versions: &[&'static rustls::SupportedProtocolVersion] = &[&rustls::version::TLS13];
    for name in ["relais.example", "127.0.0.2", "::2"] {
        assert!(handshake(client(&issued.ca_pem, NOW, versions), server(&issued), name).is_err(), "{name}");
    }
    let other = issue(&[], NOW, &chance).unwrap();
    assert!(handshake(client(&other.ca_pem, NOW, versions), server(&issued), "localhost").is_err());
    for days in [-2, 398] {
        let then = NOW.plus_seconds(days * 86_400);
        assert!(handshake(client(&issued.ca_pem, then, versions), server(&issued), "localhost").is_err());
    }
}

/// THREAT: somebody who had the authority's key could vouch for any site: the constraint forbids it.
#[test]
fn the_authority_cannot_vouch_for_any_other_name() {
    let chance = SystemChance::new();
    let local = parse_names(&[]).unwrap();
    let authority = authority(&local, NOW, &chance).unwrap();
    let versions: &[&'static rustls::SupportedProtocolVersion] = &[&rustls::version::TLS13];
    let honest = server_certificate(&authority, &local, NOW, &chance).unwrap();
    assert!(handshake(client(&authority.pem(), NOW, versions), server(&honest), "localhost").is_ok());
    for name in ["bank.example", "192.0.2.1", "2001:db8::1"] {
        let names = parse_names(&[name.to_owned()]).unwrap();
        let forged = server_certificate(&authority, &names, NOW, &chance).unwrap();
        let refused = handshake(client(&authority.pem(), NOW, versions), server(&forged), name);
        assert!(
            refused.as_ref().is_err_and(|e| e.to_string().contains("ameConstraint")),
            "{name}: {refused:?}"
        );
    }
}

#[test]
fn more_names_can_be_asked_for_and_wrong_ones_are_refused() {
    let chance = SystemChance::new();
    let issued = issue(&["pre.ville.example".to_owned(), "192.0.2.10".to_owned()], NOW, &chance).unwrap();
    let versions: &[&'static rustls::SupportedProtocolVersion] = &[&rustls::version::TLS13];
    for name in ["pre.ville.example", "192.0.2.10", "localhost"] {
        assert!(handshake(client(&issued.ca_pem, NOW, versions), server(&issued), name).is_ok(), "{name}");
    }
    for bad in ["", "a b", "https://x", "*.ville.example", "x/y"] {
        let refused = issue(&[bad.to_owned()], NOW, &chance);
        assert!(matches!(refused, Err(IssueError::Name(_))), "{bad}");
    }
    assert!(matches!(issue(&[], Timestamp::MAX, &chance), Err(IssueError::Date(_))));
}

fn written(folder: &Path, now: Timestamp) -> Issued {
    let issued = issue(&[], now, &SystemChance::new()).unwrap();
    write(&issued, folder, false).unwrap();
    issued
}

fn look(folder: &Path, names: &[String], now: Timestamp) -> CheckReport {
    let (cert, key, ca) = (folder.join(CERT_FILE), folder.join(KEY_FILE), folder.join(CA_FILE));
    check(&CheckRequest { cert: &cert, key: &key, ca: Some(&ca), names }, now)
}

#[test]
fn files_are_written_once_with_their_modes_and_no_authority_key() {
    let root = tempfile::tempdir().unwrap();
    let folder = root.path().join("certs");
    let issued = written(&folder, NOW);
    let mode = |name: &str| std::fs::metadata(folder.join(name)).unwrap().mode() & 0o777;
    assert_eq!((mode(KEY_FILE), mode(CERT_FILE), mode(CA_FILE)), (0o600, 0o644, 0o644));
    assert_eq!(std::fs::metadata(&folder).unwrap().mode() & 0o777, 0o700);
    let all: Vec<String> = std::fs::read_dir(&folder)
        .unwrap()
        .map(|e| std::fs::read_to_string(e.unwrap().path()).unwrap())
        .collect();
    assert_eq!(all.len(), 3);
    assert_eq!(all.iter().filter(|text| text.contains("PRIVATE KEY")).count(), 1, "the server's own");
    let refused = write(&issued, &folder, false);
    assert!(matches!(refused, Err(IssueError::Exists(_))));
    let before = std::fs::read(folder.join(KEY_FILE)).unwrap();
    write(&issue(&[], NOW, &SystemChance::new()).unwrap(), &folder, true).unwrap();
    assert_ne!(std::fs::read(folder.join(KEY_FILE)).unwrap(), before);
    assert_eq!(mode(KEY_FILE), 0o600);
    assert_eq!(look(&folder, &[], NOW).findings, vec![]);
}

#[test]
fn a_sound_certificate_has_no_finding_and_each_fault_is_named() {
    let root = tempfile::tempdir().unwrap();
    let folder = root.path().join("certs");
    written(&folder, NOW);
    let report = look(&folder, &["localhost".to_owned()], NOW);
    assert_eq!(report.findings, vec![]);
    assert_eq!(report.names, LOCAL_NAMES);
    let other = "relais.example".to_owned();
    assert_eq!(
        look(&folder, std::slice::from_ref(&other), NOW).findings,
        vec![Finding::NotForName { name: other }]
    );
    assert!(matches!(
        look(&folder, &[], NOW.plus_seconds(380 * 86_400)).findings.as_slice(),
        [Finding::EndsSoon { days: 16, .. }]
    ));
    for days in [-3, 400] {
        let findings = look(&folder, &[], NOW.plus_seconds(days * 86_400)).findings;
        assert!(matches!(findings.as_slice(), [Finding::OutOfDate { .. }]), "{findings:?}");
    }
    let key = folder.join(KEY_FILE);
    std::fs::set_permissions(&key, std::fs::Permissions::from_mode(0o640)).unwrap();
    assert_eq!(look(&folder, &[], NOW).findings, vec![Finding::KeyMode { path: key.clone(), mode: 0o640 }]);
    std::fs::set_permissions(&key, std::fs::Permissions::from_mode(0o600)).unwrap();

    let elsewhere = root.path().join("other");
    let other = written(&elsewhere, NOW);
    std::fs::write(&key, other.server_key_pem.as_bytes()).unwrap();
    assert_eq!(look(&folder, &[], NOW).findings, vec![Finding::KeyMismatch]);
    std::fs::copy(elsewhere.join(CERT_FILE), folder.join(CERT_FILE)).unwrap();
    assert!(
        matches!(look(&folder, &[], NOW).findings.as_slice(), [Finding::Chain { .. }]),
        "foreign authority"
    );
    std::fs::write(&key, "nothing").unwrap();
    std::fs::write(folder.join(CERT_FILE), "nothing").unwrap();
    let (path, cert) = (key.clone(), folder.join(CERT_FILE));
    let findings = look(&folder, &[], NOW).findings;
    assert_eq!(findings, vec![Finding::NoKey { path }, Finding::NoCertificate { path: cert }]);
    assert!(findings.iter().all(Finding::is_fatal));
    std::fs::remove_file(&key).unwrap();
    assert!(matches!(look(&folder, &[], NOW).findings.first(), Some(Finding::Unreadable { .. })));
}

#[test]
fn without_an_authority_the_chain_itself_is_checked_or_said_to_be_unchecked() {
    let root = tempfile::tempdir().unwrap();
    let issued = written(root.path(), NOW);
    let (cert, key) = (root.path().join(CERT_FILE), root.path().join(KEY_FILE));
    let request = CheckRequest { cert: &cert, key: &key, ca: None, names: &[] };
    assert_eq!(check(&request, NOW).findings, vec![Finding::ChainUnchecked]);
    std::fs::write(&cert, format!("{}{}", issued.server_pem, issued.ca_pem)).unwrap();
    assert_eq!(check(&request, NOW).findings, vec![]);
    let other = issue(&[], NOW, &SystemChance::new()).unwrap();
    std::fs::write(&cert, format!("{}{}", issued.server_pem, other.ca_pem)).unwrap();
    assert!(matches!(check(&request, NOW).findings.as_slice(), [Finding::Chain { .. }]));
}

#[test]
fn a_configuration_is_refused_when_key_and_certificate_do_not_belong_together() {
    let chance = SystemChance::new();
    let (one, two) = (issue(&[], NOW, &chance).unwrap(), issue(&[], NOW, &chance).unwrap());
    let config = |cert: &str, key: &str| tls::server_config(cert.as_bytes(), key.as_bytes()).err();
    assert!(config(&one.server_pem, &one.server_key_pem).is_none());
    assert!(matches!(config(&one.server_pem, &two.server_key_pem), Some(TlsError::Unusable(_))));
    assert!(matches!(config("", &one.server_key_pem), Some(TlsError::Certificate)));
    assert!(matches!(config(&one.server_pem, &one.server_pem), Some(TlsError::Key)));
    assert_eq!(format!("{one:?}"), "Issued");
}
