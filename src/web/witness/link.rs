//! Asking a witness over HTTPS: the only outbound requests of this program, to configured hosts and no other.
//!
//! INVARIANT: HTTPS only, no proxy, no redirect, bounded time and size; what does not read as the protocol is no answer.
//! Certificates are checked against the authority that is given, else against those of the system.

use std::path::{Path, PathBuf};
use std::time::Duration;

use ureq::tls::{Certificate, PemItem, RootCerts, TlsConfig, TlsProvider, parse_pem};

use crate::audit::WitnessKey;
use crate::audit::witness::Reply;
use crate::crypto::tls;
use crate::service::WitnessLink;

/// Where Debian and its kin keep the authorities that the system trusts.
const SYSTEM_AUTHORITIES: &str = "/etc/ssl/certs/ca-certificates.crt";
/// A job waits for no witness longer than this.
const PATIENCE: Duration = Duration::from_secs(10);
/// An answer has some hundred bytes.
const LARGEST_ANSWER: u64 = 64 * 1024;

/// Why there is no way to a witness. In French: the operator reads it.
#[derive(Debug, thiserror::Error)]
pub enum LinkError {
    #[error(
        "les autorités de certification `{path}` ne peuvent pas être lues ({source}) : donnez celle du témoin avec `ca_file`"
    )]
    Unreadable { path: PathBuf, source: std::io::Error },
    #[error("`{0}` ne contient aucun certificat PEM : donnez l'autorité du témoin avec `ca_file`")]
    NoCertificate(PathBuf),
}

/// A witness behind an address.
pub struct HttpWitness {
    key: WitnessKey,
    address: String,
    agent: ureq::Agent,
}

fn authorities(path: &Path) -> Result<Vec<Certificate<'static>>, LinkError> {
    let pem =
        std::fs::read(path).map_err(|source| LinkError::Unreadable { path: path.to_owned(), source })?;
    let found: Vec<Certificate<'static>> = parse_pem(&pem)
        .filter_map(|item| match item {
            Ok(PemItem::Certificate(certificate)) => Some(certificate),
            // Something else in the same file trusts nobody.
            Ok(_) | Err(_) => None,
        })
        .collect();
    if found.is_empty() { Err(LinkError::NoCertificate(path.to_owned())) } else { Ok(found) }
}

impl HttpWitness {
    /// The way to the witness of this key, whose submission prefix is `url` (`https://…`).
    ///
    /// # Errors
    /// When the authorities that certify it cannot be read.
    pub fn new(url: &str, key: WitnessKey, ca_file: Option<&Path>) -> Result<Self, LinkError> {
        let roots = authorities(ca_file.unwrap_or(Path::new(SYSTEM_AUTHORITIES)))?;
        let tls = TlsConfig::builder()
            .provider(TlsProvider::Rustls)
            .root_certs(RootCerts::new_with_certs(&roots))
            .unversioned_rustls_crypto_provider(tls::provider())
            .build();
        let agent = ureq::Agent::config_builder()
            .tls_config(tls)
            .https_only(true)
            .http_status_as_error(false)
            .max_redirects(0)
            .proxy(None)
            .timeout_global(Some(PATIENCE))
            .build()
            .new_agent();
        Ok(Self { key, address: format!("{}/add-checkpoint", url.trim_end_matches('/')), agent })
    }
}

impl WitnessLink for HttpWitness {
    fn key(&self) -> &WitnessKey {
        &self.key
    }

    fn ask(&self, body: &str) -> Result<Reply, String> {
        let mut answer = self.agent.post(&self.address).send(body).map_err(|e| e.to_string())?;
        let status = answer.status().as_u16();
        let text = answer
            .body_mut()
            .with_config()
            .limit(LARGEST_ANSWER)
            .read_to_string()
            .map_err(|e| e.to_string())?;
        Ok(Reply::read(status, &text))
    }
}
