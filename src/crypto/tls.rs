//! TLS by rustls with `ring`, named explicitly so that no other provider can creep in: TLS 1.2 and 1.3, HTTP/2
//! and HTTP/1.1 by ALPN, no early data, no client certificates yet.
//!
//! Not done here: reading files (the caller has their bytes), judging certificates (`certificates`).

use std::sync::Arc;

use rustls::ServerConfig;
use rustls::crypto::CryptoProvider;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};

/// Why there is no TLS configuration.
#[derive(Debug, thiserror::Error)]
pub enum TlsError {
    #[error(
        "the server certificate is not PEM, or holds no certificate: give the file of the whole chain, the server's own certificate first"
    )]
    Certificate,
    #[error(
        "the server key is not an unencrypted PEM key (PKCS#8, SEC1 or PKCS#1): convert it with `openssl pkey`"
    )]
    Key,
    #[error("the server certificate and key cannot be used: {0}. Run `relais certs check`")]
    Unusable(#[from] rustls::Error),
}

/// The one provider of this product.
#[must_use]
pub fn provider() -> Arc<CryptoProvider> {
    Arc::new(rustls::crypto::ring::default_provider())
}

pub(super) fn read_chain(pem: &[u8]) -> Result<Vec<CertificateDer<'static>>, TlsError> {
    let chain: Result<Vec<_>, _> = CertificateDer::pem_slice_iter(pem).collect();
    match chain {
        Ok(chain) if !chain.is_empty() => Ok(chain),
        Ok(_) | Err(_) => Err(TlsError::Certificate),
    }
}

pub(super) fn read_key(pem: &[u8]) -> Result<PrivateKeyDer<'static>, TlsError> {
    PrivateKeyDer::from_pem_slice(pem).map_err(|_| TlsError::Key)
}

/// The server's configuration from its chain and key in PEM.
///
/// # Errors
/// [`TlsError`] when either cannot be read, or when they do not belong together.
pub fn server_config(cert_pem: &[u8], key_pem: &[u8]) -> Result<ServerConfig, TlsError> {
    let (chain, key) = (read_chain(cert_pem)?, read_key(key_pem)?);
    let mut config = ServerConfig::builder_with_provider(provider())
        .with_protocol_versions(&[&rustls::version::TLS13, &rustls::version::TLS12])?
        .with_no_client_auth()
        .with_single_cert(chain, key)?;
    config.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
    // THREAT: early data can be replayed by whoever recorded it.
    config.max_early_data_size = 0;
    Ok(config)
}
