//! The second factor: one-time codes by time (RFC 6238) with SHA-1, six digits and thirty seconds, which is
//! what every telephone application understands.
//!
//! INVARIANT: no code is taken twice: [`verify`] returns the step that matched, the caller stores it in the
//! transaction of the sign-in, and a step not later than the last one is refused.
//!
//! Not done here: counting failures and delaying them (a six-digit code needs both); the picture of the URI.

use std::sync::LazyLock;

use data_encoding::{BASE32_NOPAD, Encoding, Specification};
use subtle::ConstantTimeEq;
use totp_rs::{Algorithm, Builder, Secret, Totp};
use zeroize::Zeroizing;

use crate::clock::{Chance, NoChance, Timestamp};

/// Seconds in a step.
pub const STEP_SECONDS: i64 = 30;
/// Steps of tolerance on each side.
pub const SKEW: i64 = 1;
const SECRET_LEN: usize = 20;

/// A secret that cannot be used.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
pub enum TotpError {
    #[error("the one-time-code secret is not 20 bytes: have the second factor set up anew")]
    Secret,
}

/// The shared secret: 160 random bits. Sealed where it is stored; its `Debug` prints the type name.
pub struct TotpSecret(Zeroizing<[u8; SECRET_LEN]>);

impl std::fmt::Debug for TotpSecret {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("TotpSecret")
    }
}

impl TotpSecret {
    /// # Errors
    /// When the system has no randomness.
    pub fn generate(chance: &dyn Chance) -> Result<Self, NoChance> {
        let mut secret = Zeroizing::new([0_u8; SECRET_LEN]);
        chance.fill(secret.as_mut())?;
        Ok(Self(secret))
    }

    /// Reads the opened stored form.
    ///
    /// # Errors
    /// [`TotpError::Secret`] unless it is 20 bytes.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, TotpError> {
        bytes.try_into().map(|b| Self(Zeroizing::new(b))).map_err(|_| TotpError::Secret)
    }

    /// Reads what [`TotpSecret::base32`] wrote.
    ///
    /// # Errors
    /// [`TotpError::Secret`] unless it is the base32 of 20 bytes.
    pub fn from_base32(text: &str) -> Result<Self, TotpError> {
        let bytes = Zeroizing::new(BASE32_NOPAD.decode(text.as_bytes()).map_err(|_| TotpError::Secret)?);
        Self::from_bytes(&bytes)
    }

    /// To be sealed before it is stored.
    #[must_use]
    pub fn as_bytes(&self) -> &[u8; SECRET_LEN] {
        &self.0
    }

    /// For typing into an application: 32 characters of RFC 4648 base32.
    #[must_use]
    pub fn base32(&self) -> Zeroizing<String> {
        Zeroizing::new(BASE32_NOPAD.encode(self.0.as_ref()))
    }

    /// For an application that reads a link: `otpauth://totp/…`.
    #[must_use]
    pub fn uri(&self, issuer: &str, login: &str) -> Zeroizing<String> {
        let (issuer, login) = (percent(issuer), percent(login));
        Zeroizing::new(format!(
            "otpauth://totp/{issuer}:{login}?secret={}&issuer={issuer}&algorithm=SHA1&digits=6&period=30",
            *self.base32()
        ))
    }
}

/// RFC 3986 unreserved characters stand; every other byte, `:` included, is escaped.
fn percent(text: &str) -> String {
    static HEX: LazyLock<Option<Encoding>> = LazyLock::new(|| {
        let mut spec = Specification::new();
        spec.symbols.push_str("0123456789ABCDEF");
        spec.encoding().ok()
    });
    let mut out = String::with_capacity(text.len());
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.' | b'_' | b'~') {
            out.push(char::from(byte));
        } else {
            out.push('%');
            out.push_str(&HEX.as_ref().map(|e| e.encode(&[byte])).unwrap_or_default());
        }
    }
    out
}

/// The step to record if `code` is right now and was not used before, else `None`.
///
/// One step before and after are taken; `last_used_step` is the highest step ever taken for this secret.
#[must_use]
pub fn verify(secret: &TotpSecret, code: &str, now: Timestamp, last_used_step: Option<i64>) -> Option<i64> {
    let seconds = now.micros().div_euclid(1_000_000);
    let current = seconds.div_euclid(STEP_SECONDS);
    let totp = totp(secret, 6)?;
    let mut matched = None;
    for step in current.checked_sub(SKEW)?..=current.checked_add(SKEW)? {
        let right =
            code_at(&totp, step).is_some_and(|right| bool::from(right.as_bytes().ct_eq(code.as_bytes())));
        // THREAT: a code seen over the shoulder, or on the wire before it is sent, is taken once.
        let fresh = last_used_step.is_none_or(|last| step > last);
        if right && fresh && matched.is_none() {
            matched = Some(step);
        }
    }
    matched
}

/// The code that an application shows at this moment: for the demonstration and tests, which hold the telephone too.
#[must_use]
pub fn code(secret: &TotpSecret, at: Timestamp) -> Option<Zeroizing<String>> {
    code_at(&totp(secret, 6)?, at.micros().div_euclid(1_000_000).div_euclid(STEP_SECONDS))
}

fn totp(secret: &TotpSecret, digits: u8) -> Option<Totp> {
    Builder::new()
        .with_algorithm(Algorithm::SHA1)
        .with_digits(digits)
        .with_step_duration(u64::try_from(STEP_SECONDS).ok()?)
        .with_skew(0)
        .with_secret(Secret::new(Box::from(secret.0.as_slice())))
        .build()
        .ok()
}

/// The code of a step; `None` for a step before 1970.
fn code_at(totp: &Totp, step: i64) -> Option<Zeroizing<String>> {
    let seconds = u64::try_from(step.checked_mul(STEP_SECONDS)?).ok()?;
    Some(Zeroizing::new(totp.generate(seconds).to_string()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::crypto::SystemChance;

    fn rfc() -> TotpSecret {
        TotpSecret::from_bytes(b"12345678901234567890").unwrap()
    }

    fn at(seconds: i64) -> Timestamp {
        Timestamp::from_micros(seconds * 1_000_000)
    }

    /// RFC 6238, Appendix B, the SHA-1 rows (eight digits there; six are their last six).
    #[test]
    fn the_vectors_of_rfc_6238() {
        let vectors = [
            (59, "94287082"),
            (1_111_111_109, "07081804"),
            (1_111_111_111, "14050471"),
            (1_234_567_890, "89005924"),
            (2_000_000_000, "69279037"),
            (20_000_000_000, "65353130"),
        ];
        for (seconds, eight) in vectors {
            let step = seconds / 30;
            assert_eq!(*code_at(&totp(&rfc(), 8).unwrap(), step).unwrap(), eight);
            assert_eq!(verify(&rfc(), &eight[2..], at(seconds), None), Some(step), "{seconds}");
        }
    }

    #[test]
    fn one_step_on_each_side_is_taken_and_no_more() {
        let code = |step: i64| code_at(&totp(&rfc(), 6).unwrap(), step).unwrap();
        let now = 1_000_000;
        for (offset, taken) in [(-2, false), (-1, true), (0, true), (1, true), (2, false)] {
            let found = verify(&rfc(), &code(now + offset), at(now * 30 + 15), None);
            assert_eq!(found, taken.then_some(now + offset), "{offset}");
        }
    }

    #[test]
    fn no_code_is_taken_twice() {
        let code = |step: i64| code_at(&totp(&rfc(), 6).unwrap(), step).unwrap();
        let (now, step) = (at(30_000_015), 1_000_000);
        let used = verify(&rfc(), &code(step), now, None);
        assert_eq!(used, Some(step));
        assert_eq!(verify(&rfc(), &code(step), now, used), None);
        assert_eq!(verify(&rfc(), &code(step), now.plus_seconds(29), used), None);
        assert_eq!(verify(&rfc(), &code(step - 1), now, used), None, "nor an earlier one after it");
        assert_eq!(verify(&rfc(), &code(step + 1), now, used), Some(step + 1));
    }

    #[test]
    fn what_is_not_six_digits_is_refused() {
        let now = at(59);
        assert_eq!(verify(&rfc(), "287082", now, None), Some(1));
        for bad in ["", "28708", "2870820", " 287082", "287082 ", "28708２", "+87082", "287083", "94287082"]
        {
            assert_eq!(verify(&rfc(), bad, now, None), None, "{bad}");
        }
        assert_eq!(verify(&rfc(), "287082", Timestamp::from_micros(i64::MIN), None), None);
        assert_eq!(verify(&rfc(), "287082", Timestamp::MAX, None), None);
    }

    #[test]
    fn the_secret_is_shown_as_applications_read_it() {
        assert_eq!(*rfc().base32(), "GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ");
        assert_eq!(
            *rfc().uri("Relais", "zoé:d@ville.example"),
            "otpauth://totp/Relais:zo%C3%A9%3Ad%40ville.example?secret=GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ\
             &issuer=Relais&algorithm=SHA1&digits=6&period=30"
        );
        let secret = TotpSecret::generate(&SystemChance::new()).unwrap();
        assert_eq!(TotpSecret::from_bytes(secret.as_bytes()).unwrap().as_bytes(), secret.as_bytes());
        assert_eq!(TotpSecret::from_bytes(&[0; 19]).err(), Some(TotpError::Secret));
        assert_eq!(format!("{secret:?}"), "TotpSecret");
    }
}
