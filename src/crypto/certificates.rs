//! A local authority for a demonstration or a first trial, and a look at the operator's own certificate.
//!
//! INVARIANT: the authority's private key exists in memory only, signs one certificate and is dropped; nobody
//! who later takes the machine can issue another.
//! INVARIANT: the authority is constrained by name to exactly what it was made for, so that a browser that
//! trusts it trusts it for nothing else.
//!
//! Not done here: public certificates (the operator brings them), revocation, renewal by itself. `rcgen` draws
//! its keys from `ring`'s randomness directly: a [`Chance`] cannot be passed to it.

use std::fs::OpenOptions;
use std::io::Write;
use std::os::unix::fs::{DirBuilderExt, MetadataExt, OpenOptionsExt};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use chrono::{Datelike, Days, NaiveDate};
use rcgen::{
    BasicConstraints, CertificateParams, CertifiedIssuer, CidrSubnet, DnType, ExtendedKeyUsagePurpose,
    GeneralSubtree, IsCa, KeyPair, KeyUsagePurpose, NameConstraints, SanType, SerialNumber,
};
use rustls::client::WebPkiServerVerifier;
use rustls::client::danger::ServerCertVerifier;
use rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use rustls::sign::CertifiedKey;
use rustls::{CertificateError, RootCertStore};
use x509_parser::prelude::{FromDer, GeneralName, X509Certificate};
use zeroize::{Zeroize, Zeroizing};

use super::tls::{self, TlsError};
use crate::clock::{Chance, NoChance, Timestamp};

/// The authority's certificate, for clients to trust.
pub const CA_FILE: &str = "ca.pem";
/// The server's certificate.
pub const CERT_FILE: &str = "server.pem";
/// The server's private key, mode 0600.
pub const KEY_FILE: &str = "server.key";
/// What every local certificate is for.
pub const LOCAL_NAMES: [&str; 3] = ["localhost", "127.0.0.1", "::1"];
/// Days of validity (browsers refuse more than 398).
const VALID_DAYS: u64 = 397;
/// From how many days before its end a certificate is announced to end.
const WARN_DAYS: i64 = 30;

/// Why certificates were not made.
#[derive(Debug, thiserror::Error)]
pub enum IssueError {
    #[error(
        "`{0}` is not a host name or an IP address: give for instance `pre.ville.example` or `192.0.2.10`"
    )]
    Name(String),
    #[error("the machine's date `{0}` cannot be that of a certificate: set the clock")]
    Date(NaiveDate),
    #[error(
        "`{0}` already exists: use `--renew` to replace authority, certificate and key together; clients must then trust the new authority"
    )]
    Exists(PathBuf),
    #[error("`{path}` cannot be written: {source}")]
    Unwritable { path: PathBuf, source: std::io::Error },
    #[error("the certificate could not be made: {0}")]
    Making(#[from] rcgen::Error),
    #[error(transparent)]
    Chance(#[from] NoChance),
}

/// What [`issue`] made. The key is wiped when dropped.
pub struct Issued {
    pub ca_pem: String,
    pub server_pem: String,
    pub server_key_pem: Zeroizing<String>,
    pub not_after: NaiveDate,
}

impl std::fmt::Debug for Issued {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Issued")
    }
}

/// A local authority and one server certificate for [`LOCAL_NAMES`] and `more`.
///
/// # Errors
/// A name that is none, an impossible date, or no randomness.
pub fn issue(more: &[String], now: Timestamp, chance: &dyn Chance) -> Result<Issued, IssueError> {
    let names = parse_names(more)?;
    let authority = authority(&names, now, chance)?;
    let mut issued = server_certificate(&authority, &names, now, chance)?;
    issued.ca_pem = authority.pem();
    // The authority's key ends here: it was never written, and goes out of scope with `authority`.
    drop(authority);
    Ok(issued)
}

fn parse_names(more: &[String]) -> Result<Vec<SanType>, IssueError> {
    let mut names = Vec::new();
    for text in LOCAL_NAMES.iter().copied().chain(more.iter().map(String::as_str)) {
        let wrong = || IssueError::Name(text.to_owned());
        let name = match ServerName::try_from(text).map_err(|_| wrong())? {
            ServerName::DnsName(dns) => {
                SanType::DnsName(dns.as_ref().to_lowercase().try_into().map_err(|_| wrong())?)
            }
            ServerName::IpAddress(ip) => SanType::IpAddress(ip.into()),
            // The type may grow: a kind of name unknown here is refused.
            _unknown => return Err(wrong()),
        };
        if !names.contains(&name) {
            names.push(name);
        }
    }
    Ok(names)
}

fn subtree(name: &SanType) -> Option<GeneralSubtree> {
    match name {
        SanType::DnsName(dns) => Some(GeneralSubtree::DnsName(dns.as_str().to_owned())),
        SanType::IpAddress(ip @ std::net::IpAddr::V4(_)) => {
            Some(GeneralSubtree::IpAddress(CidrSubnet::from_addr_prefix(*ip, 32)))
        }
        SanType::IpAddress(ip @ std::net::IpAddr::V6(_)) => {
            Some(GeneralSubtree::IpAddress(CidrSubnet::from_addr_prefix(*ip, 128)))
        }
        // `parse_names` makes no other kind.
        _other => None,
    }
}

fn common_params(
    cn: &str,
    now: Timestamp,
    chance: &dyn Chance,
) -> Result<(CertificateParams, NaiveDate), IssueError> {
    let today = now.utc().date_naive();
    let impossible = || IssueError::Date(today);
    let from = today.checked_sub_days(Days::new(1)).ok_or_else(impossible)?;
    let until = today.checked_add_days(Days::new(VALID_DAYS)).ok_or_else(impossible)?;
    let date = |day: NaiveDate| {
        if !(1970..=9000).contains(&day.year()) {
            return Err(impossible());
        }
        let month = u8::try_from(day.month()).map_err(|_| impossible())?;
        let of_month = u8::try_from(day.day()).map_err(|_| impossible())?;
        Ok(rcgen::date_time_ymd(day.year(), month, of_month))
    };
    let mut serial = [0_u8; 16];
    chance.fill(&mut serial)?;
    // A serial number is positive: its first bit is zero (RFC 5280 §4.1.2.2).
    if let Some(first) = serial.first_mut() {
        *first &= 0x7f;
        *first |= 0x40;
    }
    let mut params = CertificateParams::default();
    params.not_before = date(from)?;
    params.not_after = date(until)?;
    params.serial_number = Some(SerialNumber::from_slice(&serial));
    params.distinguished_name = rcgen::DistinguishedName::new();
    params.distinguished_name.push(DnType::CommonName, cn);
    Ok((params, until))
}

fn authority(
    names: &[SanType],
    now: Timestamp,
    chance: &dyn Chance,
) -> Result<CertifiedIssuer<'static, KeyPair>, IssueError> {
    let (mut params, _) = common_params("Relais: autorite locale de cette machine", now, chance)?;
    params.is_ca = IsCa::Ca(BasicConstraints::Constrained(0));
    params.key_usages = vec![KeyUsagePurpose::KeyCertSign];
    params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
    // THREAT: an authority that a browser trusts could vouch for any site. [`LOCAL_NAMES`] has a host name, an
    // IPv4 and an IPv6 address, so every kind is constrained and whatever is not listed is refused.
    params.name_constraints = Some(NameConstraints {
        permitted_subtrees: names.iter().filter_map(subtree).collect(),
        excluded_subtrees: Vec::new(),
    });
    Ok(CertifiedIssuer::self_signed(params, KeyPair::generate_for(&rcgen::PKCS_ECDSA_P256_SHA256)?)?)
}

fn server_certificate(
    authority: &CertifiedIssuer<'_, KeyPair>,
    names: &[SanType],
    now: Timestamp,
    chance: &dyn Chance,
) -> Result<Issued, IssueError> {
    let (mut params, not_after) = common_params("Relais", now, chance)?;
    params.subject_alt_names = names.to_vec();
    params.is_ca = IsCa::ExplicitNoCa;
    params.key_usages = vec![KeyUsagePurpose::DigitalSignature];
    params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
    params.use_authority_key_identifier_extension = true;
    let mut key = KeyPair::generate_for(&rcgen::PKCS_ECDSA_P256_SHA256)?;
    let server_pem = params.signed_by(&key, authority)?.pem();
    let server_key_pem = Zeroizing::new(key.serialize_pem());
    key.zeroize();
    Ok(Issued { ca_pem: String::new(), server_pem, server_key_pem, not_after })
}

/// Writes `ca.pem`, `server.pem` and `server.key` (0600) into `folder` (0700 if it has to be made).
///
/// Without `renew` nothing that exists is touched. Each file is written beside its name and renamed.
///
/// # Errors
/// [`IssueError::Exists`] or [`IssueError::Unwritable`].
pub fn write(issued: &Issued, folder: &Path, renew: bool) -> Result<(), IssueError> {
    let files = [
        (KEY_FILE, issued.server_key_pem.as_bytes(), 0o600),
        (CERT_FILE, issued.server_pem.as_bytes(), 0o644),
        (CA_FILE, issued.ca_pem.as_bytes(), 0o644),
    ];
    if !renew && let Some((name, _, _)) = files.iter().find(|(name, _, _)| folder.join(name).exists()) {
        return Err(IssueError::Exists(folder.join(name)));
    }
    let unwritable = |path: &Path| {
        let path = path.to_owned();
        move |source| IssueError::Unwritable { path, source }
    };
    std::fs::DirBuilder::new().recursive(true).mode(0o700).create(folder).map_err(unwritable(folder))?;
    for (name, content, mode) in files {
        let (path, fresh) = (folder.join(name), folder.join(format!("{name}.new")));
        match std::fs::remove_file(&fresh) {
            Ok(()) => {}
            Err(e) if e.kind() == std::io::ErrorKind::NotFound => {}
            Err(source) => return Err(IssueError::Unwritable { path: fresh, source }),
        }
        // Mode at creation, not after: the key is never readable by others, not for an instant.
        let mut file = OpenOptions::new()
            .write(true)
            .create_new(true)
            .mode(mode)
            .open(&fresh)
            .map_err(unwritable(&fresh))?;
        file.write_all(content).and_then(|()| file.sync_all()).map_err(unwritable(&fresh))?;
        std::fs::rename(&fresh, &path).map_err(unwritable(&path))?;
    }
    Ok(())
}

/// One thing that [`check`] found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Finding {
    /// The file cannot be read.
    Unreadable { path: PathBuf, why: String },
    /// The key file can be read or changed by others.
    KeyMode { path: PathBuf, mode: u32 },
    /// The chain file has no certificate in PEM.
    NoCertificate { path: PathBuf },
    /// The key file has no usable key.
    NoKey { path: PathBuf },
    /// The key is not that of the first certificate.
    KeyMismatch,
    /// The certificate names nobody: clients look at subject alternative names only.
    NoNames,
    /// The certificate is not for this name.
    NotForName { name: String },
    /// It ended, or has not begun.
    OutOfDate { from: Timestamp, until: Timestamp },
    /// It ends soon.
    EndsSoon { days: i64, until: Timestamp },
    /// The chain does not lead to the authority.
    Chain { why: String },
    /// There was no authority to check the chain against.
    ChainUnchecked,
}

impl Finding {
    /// Whether a server should not be started with this.
    #[must_use]
    pub const fn is_fatal(&self) -> bool {
        match self {
            Self::EndsSoon { .. } | Self::ChainUnchecked => false,
            Self::Unreadable { .. }
            | Self::KeyMode { .. }
            | Self::NoCertificate { .. }
            | Self::NoKey { .. }
            | Self::KeyMismatch
            | Self::NoNames
            | Self::NotForName { .. }
            | Self::OutOfDate { .. }
            | Self::Chain { .. } => true,
        }
    }
}

/// What to look at.
#[derive(Clone, Debug)]
pub struct CheckRequest<'a> {
    pub cert: &'a Path,
    pub key: &'a Path,
    /// The authority to trust; without it the last certificate of the chain stands for it, if there is one.
    pub ca: Option<&'a Path>,
    /// Names that clients will use; without any, those of the certificate itself.
    pub names: &'a [String],
}

/// What a certificate is for, and what is wrong with it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct CheckReport {
    pub names: Vec<String>,
    pub until: Option<Timestamp>,
    pub findings: Vec<Finding>,
}

/// Looks at chain, names, dates, key and key mode, and reports everything at once.
#[must_use]
pub fn check(request: &CheckRequest<'_>, now: Timestamp) -> CheckReport {
    let mut report = CheckReport::default();
    let key_pem = read(request.key, &mut report).map(Zeroizing::new);
    if let Ok(meta) = std::fs::metadata(request.key) {
        let mode = meta.mode() & 0o7777;
        // THREAT: whoever reads the key can play the server.
        if mode & 0o077 != 0 {
            report.findings.push(Finding::KeyMode { path: request.key.to_owned(), mode });
        }
    }
    let key = key_pem.and_then(|pem| match tls::read_key(&pem) {
        Ok(key) => Some(key),
        Err(_) => {
            report.findings.push(Finding::NoKey { path: request.key.to_owned() });
            None
        }
    });
    let chain = read_certificates(request.cert, &mut report);
    let Some((leaf, rest)) = chain.as_deref().and_then(<[_]>::split_first) else { return report };
    if let (Some(key), Some(chain)) = (key, &chain)
        && CertifiedKey::from_der(chain.clone(), key, &tls::provider()).is_err()
    {
        report.findings.push(Finding::KeyMismatch);
    }
    check_dates_and_names(leaf, &mut report, now);
    let anchors = match request.ca {
        Some(path) => read_certificates(path, &mut report),
        None => rest.last().map(|last| vec![last.clone()]),
    };
    match anchors {
        Some(anchors) => {
            let names = if request.names.is_empty() { report.names.clone() } else { request.names.to_vec() };
            check_chain(leaf, rest, &anchors, &names, &mut report, now);
        }
        None if request.ca.is_none() => report.findings.push(Finding::ChainUnchecked),
        None => {}
    }
    report
}

fn read(path: &Path, report: &mut CheckReport) -> Option<Vec<u8>> {
    match std::fs::read(path) {
        Ok(bytes) => Some(bytes),
        Err(e) => {
            report.findings.push(Finding::Unreadable { path: path.to_owned(), why: e.to_string() });
            None
        }
    }
}

fn read_certificates(path: &Path, report: &mut CheckReport) -> Option<Vec<CertificateDer<'static>>> {
    let pem = read(path, report)?;
    match tls::read_chain(&pem) {
        Ok(chain) => Some(chain),
        Err(TlsError::Certificate | TlsError::Key | TlsError::Unusable(_)) => {
            report.findings.push(Finding::NoCertificate { path: path.to_owned() });
            None
        }
    }
}

fn check_dates_and_names(leaf: &CertificateDer<'_>, report: &mut CheckReport, now: Timestamp) {
    let (_, parsed) = match X509Certificate::from_der(leaf) {
        Ok(parsed) => parsed,
        Err(e) => return report.findings.push(Finding::Chain { why: e.to_string() }),
    };
    let at = |seconds: i64| Timestamp::from_micros(seconds.saturating_mul(1_000_000));
    let (from, until) =
        (at(parsed.validity().not_before.timestamp()), at(parsed.validity().not_after.timestamp()));
    report.until = Some(until);
    let days = until.micros().saturating_sub(now.micros()).div_euclid(86_400_000_000);
    if now < from || now > until {
        report.findings.push(Finding::OutOfDate { from, until });
    } else if days < WARN_DAYS {
        report.findings.push(Finding::EndsSoon { days, until });
    }
    if let Ok(Some(names)) = parsed.subject_alternative_name() {
        report.names = names.value.general_names.iter().filter_map(name_text).collect();
    }
    if report.names.is_empty() {
        report.findings.push(Finding::NoNames);
    }
}

fn name_text(name: &GeneralName<'_>) -> Option<String> {
    match name {
        GeneralName::DNSName(dns) => Some((*dns).to_owned()),
        GeneralName::IPAddress(bytes) => <[u8; 4]>::try_from(*bytes)
            .map(|b| std::net::IpAddr::from(b).to_string())
            .or_else(|_| <[u8; 16]>::try_from(*bytes).map(|b| std::net::IpAddr::from(b).to_string()))
            .ok(),
        // Other kinds of names mean nothing to an HTTPS client.
        _other => None,
    }
}

fn check_chain(
    leaf: &CertificateDer<'_>,
    intermediates: &[CertificateDer<'_>],
    anchors: &[CertificateDer<'static>],
    names: &[String],
    report: &mut CheckReport,
    now: Timestamp,
) {
    let mut roots = RootCertStore::empty();
    for anchor in anchors {
        if let Err(e) = roots.add(anchor.clone()) {
            return report.findings.push(Finding::Chain { why: e.to_string() });
        }
    }
    let verifier = match WebPkiServerVerifier::builder_with_provider(Arc::new(roots), tls::provider()).build()
    {
        Ok(verifier) => verifier,
        Err(e) => return report.findings.push(Finding::Chain { why: e.to_string() }),
    };
    let seconds = u64::try_from(now.micros().div_euclid(1_000_000)).unwrap_or(0);
    let time = UnixTime::since_unix_epoch(Duration::from_secs(seconds));
    for text in names {
        // A wildcard stands for one label: it is checked with one.
        let concrete = text.strip_prefix("*.").map_or_else(|| text.clone(), |rest| format!("a.{rest}"));
        let Ok(name) = ServerName::try_from(concrete) else {
            report.findings.push(Finding::NotForName { name: text.clone() });
            continue;
        };
        match verifier.verify_server_cert(leaf, intermediates, &name, &[], time) {
            Ok(_) => {}
            Err(rustls::Error::InvalidCertificate(
                CertificateError::NotValidForName | CertificateError::NotValidForNameContext { .. },
            )) => report.findings.push(Finding::NotForName { name: text.clone() }),
            Err(e) => {
                // The same for every name: once is enough. An end already reported is not said twice.
                let dated = report.findings.iter().any(|f| matches!(f, Finding::OutOfDate { .. }));
                let by_date = matches!(
                    e,
                    rustls::Error::InvalidCertificate(
                        CertificateError::Expired
                            | CertificateError::ExpiredContext { .. }
                            | CertificateError::NotValidYet
                            | CertificateError::NotValidYetContext { .. }
                    )
                );
                if !(dated && by_date) {
                    report.findings.push(Finding::Chain { why: e.to_string() });
                }
                return;
            }
        }
    }
}

#[cfg(test)]
#[path = "certificates_tests.rs"]
mod tests;
