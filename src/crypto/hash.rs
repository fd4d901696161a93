//! SHA-256 and HMAC-SHA-256, in the shapes the other rooms need.

use ring::{digest, hmac};

/// A SHA-256 digest.
pub type Digest = [u8; 32];

fn to_array(bytes: &[u8]) -> Digest {
    let mut out = [0_u8; 32];
    for (to, from) in out.iter_mut().zip(bytes) {
        *to = *from;
    }
    out
}

/// SHA-256 of the concatenation of `parts` (FIPS 180-4).
#[must_use]
pub fn sha256(parts: &[&[u8]]) -> Digest {
    let mut context = digest::Context::new(&digest::SHA256);
    for part in parts {
        context.update(part);
    }
    to_array(context.finish().as_ref())
}

/// SHA-256 of what comes piece by piece.
#[derive(Clone)]
pub struct Sha256(digest::Context);

impl Default for Sha256 {
    fn default() -> Self {
        Self(digest::Context::new(&digest::SHA256))
    }
}

impl Sha256 {
    /// Takes the next piece.
    pub fn update(&mut self, piece: &[u8]) {
        self.0.update(piece);
    }

    /// The digest of all pieces, joined.
    #[must_use]
    pub fn finish(self) -> Digest {
        to_array(self.0.finish().as_ref())
    }
}

/// HMAC-SHA-256 (RFC 2104) of the concatenation of `parts`. Callers that join variable-length fields must
/// length-prefix them.
#[must_use]
pub fn hmac_sha256(key: &[u8], parts: &[&[u8]]) -> Digest {
    let mut context = hmac::Context::with_key(&hmac::Key::new(hmac::HMAC_SHA256, key));
    for part in parts {
        context.update(part);
    }
    to_array(context.sign().as_ref())
}
