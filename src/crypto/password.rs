//! Passwords: how they are chosen, hashed and checked.
//!
//! Argon2id (RFC 9106) with 19 MiB, two passes, one lane, in a PHC string. The rule for choosing one is length
//! and not being known: no rule of composition, which only makes `Motdepasse1!` (NIST SP 800-63B).
//!
//! INVARIANT: one cost for right, wrong and unknown: [`PasswordHasher::verify_dummy`] hashes too.
//! INVARIANT: the parameters are constants. No setting, feature or test can make the product hash more cheaply.
//!
//! Not done here: delays and counters, which the services keep; storage, which seals the PHC string under the
//! instance's data key so that the database's owner cannot give one account the hash of another.

use std::pin::pin;
use std::sync::Arc;
use std::task::{Context, Poll, Wake, Waker};
use std::thread::Thread;

use argon2::password_hash::phc::PasswordHash;
use argon2::password_hash::{self, PasswordHasher as _, PasswordVerifier as _};
use argon2::{Algorithm, Argon2, Params, Version};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use zeroize::Zeroizing;

use super::common_passwords::{self, Weakness};
use crate::clock::{Chance, NoChance};

/// Memory in KiB (19 MiB).
pub const MEMORY_KIB: u32 = 19_456;
/// Passes over the memory.
pub const PASSES: u32 = 2;
/// Lanes.
pub const LANES: u32 = 1;
/// Fewest characters of a password.
pub const MIN_CHARS: usize = 12;
/// Most characters of a password.
pub const MAX_CHARS: usize = 256;

const SALT_LEN: usize = 16;
/// Bounds for a stored hash: below is a downgrade, above is a way to exhaust the machine.
const MAX_MEMORY_KIB: u32 = 1 << 18;
const MAX_PASSES: u32 = 8;
const MAX_LANES: u32 = 4;

/// Why a password or a stored hash cannot be used.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
pub enum PasswordError {
    #[error("the password has `{0}` characters: choose one of 12 to 256")]
    Length(usize),
    #[error("the password is too easy to guess ({0}): choose several words that do not belong together")]
    Weak(Weakness),
    #[error(
        "the stored password hash is not Argon2id with the parameters of this product: have the account opened anew by an invitation"
    )]
    Stored,
    #[error("the password could not be hashed: check the memory of the machine")]
    Hashing,
    #[error("the system gave no random bytes")]
    Chance,
}

impl From<NoChance> for PasswordError {
    fn from(NoChance: NoChance) -> Self {
        Self::Chance
    }
}

/// A password as typed: at most 256 characters, wiped when dropped, without `Debug` content.
pub struct Password(Zeroizing<String>);

impl std::fmt::Debug for Password {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Password")
    }
}

impl Password {
    /// A password somebody signs in with: only bounded, so that an old rule never locks anyone out.
    ///
    /// # Errors
    /// [`PasswordError::Length`] when empty or longer than 256 characters.
    pub fn typed(text: String) -> Result<Self, PasswordError> {
        let text = Zeroizing::new(text);
        let chars = text.chars().count();
        if chars == 0 || chars > MAX_CHARS { Err(PasswordError::Length(chars)) } else { Ok(Self(text)) }
    }

    /// A password somebody chooses: 12 to 256 characters, not known, not made of the login or of `words` (the
    /// names of the person and the organisation, as far as the caller has them).
    ///
    /// # Errors
    /// [`PasswordError::Length`] or [`PasswordError::Weak`].
    pub fn chosen(text: String, login: &str, words: &[&str]) -> Result<Self, PasswordError> {
        let password = Self::typed(text)?;
        let chars = password.0.chars().count();
        if chars < MIN_CHARS {
            return Err(PasswordError::Length(chars));
        }
        match common_passwords::weakness(&password.0, login, words) {
            Some(weakness) => Err(PasswordError::Weak(weakness)),
            None => Ok(password),
        }
    }
}

/// A password hash as stored: a PHC string. Its `Debug` prints the type name.
#[derive(Clone, PartialEq, Eq)]
pub struct StoredPassword(String);

impl std::fmt::Debug for StoredPassword {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("StoredPassword")
    }
}

impl StoredPassword {
    /// Reads a stored hash.
    ///
    /// # Errors
    /// [`PasswordError::Stored`] unless it is Argon2id, version 19, at least as costly as ours and not absurd.
    pub fn parse(phc: &str) -> Result<Self, PasswordError> {
        read_stored(phc).map(|_| Self(phc.to_owned()))
    }

    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

fn read_stored(phc: &str) -> Result<PasswordHash, PasswordError> {
    let hash = PasswordHash::new(phc).map_err(|_| PasswordError::Stored)?;
    let params = Params::try_from(&hash).map_err(|_| PasswordError::Stored)?;
    // THREAT: whoever can write the row asks for one kibibyte (to guess fast) or for all memory.
    let sound = hash.algorithm == Algorithm::Argon2id.ident()
        && hash.version == Some(u32::from(Version::V0x13))
        && (MEMORY_KIB..=MAX_MEMORY_KIB).contains(&params.m_cost())
        && (PASSES..=MAX_PASSES).contains(&params.t_cost())
        && (LANES..=MAX_LANES).contains(&params.p_cost())
        && hash.salt.as_ref().is_some_and(|salt| salt.len() >= SALT_LEN)
        && hash.hash.as_ref().is_some_and(|output| output.len() >= 32);
    if sound { Ok(hash) } else { Err(PasswordError::Stored) }
}

/// What checking a password found.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[must_use]
pub enum PasswordCheck {
    Right,
    Wrong,
}

/// Hashes and checks. Some 20 ms of one core each: call it off the request threads, behind a [`HashGate`].
pub struct PasswordHasher {
    argon: Argon2<'static>,
    dummy: StoredPassword,
}

impl std::fmt::Debug for PasswordHasher {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("PasswordHasher")
    }
}

impl PasswordHasher {
    /// The only parameters there are. Hashes once, to have something to compare unknown logins with.
    ///
    /// # Errors
    /// No randomness, or no memory.
    pub fn new(chance: &dyn Chance) -> Result<Self, PasswordError> {
        let params = Params::new(MEMORY_KIB, PASSES, LANES, None).map_err(|_| PasswordError::Hashing)?;
        let argon = Argon2::new(Algorithm::Argon2id, Version::V0x13, params);
        let mut nobody = Zeroizing::new([0_u8; 32]);
        chance.fill(nobody.as_mut())?;
        let dummy = hash_with(&argon, nobody.as_ref(), chance)?;
        Ok(Self { argon, dummy })
    }

    /// Hashes a chosen password.
    ///
    /// # Errors
    /// No randomness, or no memory.
    pub fn hash(&self, password: &Password, chance: &dyn Chance) -> Result<StoredPassword, PasswordError> {
        hash_with(&self.argon, password.0.as_bytes(), chance)
    }

    /// Checks a password against a stored hash (constant-time comparison inside `argon2`).
    ///
    /// # Errors
    /// [`PasswordError::Stored`] or [`PasswordError::Hashing`]: never to be read as right or wrong.
    pub fn verify(
        &self,
        stored: &StoredPassword,
        password: &Password,
    ) -> Result<PasswordCheck, PasswordError> {
        let hash = read_stored(&stored.0)?;
        match self.argon.verify_password(password.0.as_bytes(), &hash) {
            Ok(()) => Ok(PasswordCheck::Right),
            Err(password_hash::Error::PasswordInvalid) => Ok(PasswordCheck::Wrong),
            Err(_other) => Err(PasswordError::Hashing),
        }
    }

    /// Does the work of [`PasswordHasher::verify`] for a login that nobody has, and answers `Wrong`.
    ///
    /// THREAT: answers that come sooner for unknown logins tell who works here.
    ///
    /// # Errors
    /// As [`PasswordHasher::verify`].
    pub fn verify_dummy(&self, password: &Password) -> Result<PasswordCheck, PasswordError> {
        match self.verify(&self.dummy, password)? {
            // 256 random bits that nobody kept: not even then does an unknown login get in.
            PasswordCheck::Right | PasswordCheck::Wrong => Ok(PasswordCheck::Wrong),
        }
    }
}

fn hash_with(
    argon: &Argon2<'_>,
    password: &[u8],
    chance: &dyn Chance,
) -> Result<StoredPassword, PasswordError> {
    let mut salt = [0_u8; SALT_LEN];
    chance.fill(&mut salt)?;
    let hash: PasswordHash =
        argon.hash_password_with_salt(password, &salt).map_err(|_| PasswordError::Hashing)?;
    Ok(StoredPassword(hash.to_string()))
}

/// Too many sign-ins at once: answer 503 or 429 with Retry-After.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
#[error("too many passwords are being checked: try again in a few seconds")]
pub struct HashGateFull;

/// Caps how many hashes run at once (19 MiB and a core each) and how many wait.
#[derive(Clone, Debug)]
pub struct HashGate {
    admitted: Arc<Semaphore>,
    running: Arc<Semaphore>,
}

/// Leave to hash once; move it into the blocking closure, so that it lasts as long as the hash does.
#[derive(Debug)]
pub struct HashPermit {
    _running: OwnedSemaphorePermit,
    _admitted: OwnedSemaphorePermit,
}

impl HashGate {
    /// `running` hashes at once, `waiting` more in the queue.
    #[must_use]
    pub fn new(running: usize, waiting: usize) -> Self {
        Self {
            admitted: Arc::new(Semaphore::new(running.saturating_add(waiting))),
            running: Arc::new(Semaphore::new(running)),
        }
    }

    /// Waits for a turn.
    ///
    /// # Errors
    /// [`HashGateFull`] at once when the queue is full.
    pub async fn enter(&self) -> Result<HashPermit, HashGateFull> {
        let admitted = Arc::clone(&self.admitted).try_acquire_owned().map_err(|_| HashGateFull)?;
        let running = Arc::clone(&self.running).acquire_owned().await.map_err(|_| HashGateFull)?;
        Ok(HashPermit { _running: running, _admitted: admitted })
    }

    /// [`HashGate::enter`] on a thread that may block.
    ///
    /// # Errors
    /// [`HashGateFull`] at once when the queue is full.
    pub fn enter_blocking(&self) -> Result<HashPermit, HashGateFull> {
        struct Unpark(Thread);
        impl Wake for Unpark {
            fn wake(self: Arc<Self>) {
                self.0.unpark();
            }
        }
        let waker = Waker::from(Arc::new(Unpark(std::thread::current())));
        let mut turn = pin!(self.enter());
        loop {
            match turn.as_mut().poll(&mut Context::from_waker(&waker)) {
                Poll::Ready(permit) => return permit,
                Poll::Pending => std::thread::park(),
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::crypto::SystemChance;

    fn typed(text: &str) -> Password {
        Password::typed(text.to_owned()).unwrap()
    }

    fn chosen(text: &str) -> Result<Password, PasswordError> {
        Password::chosen(text.to_owned(), "marie.durand", &["Association Les Tilleuls"])
    }

    #[test]
    fn a_hash_says_argon2id_19456_2_1_and_checks_back() {
        let chance = SystemChance::new();
        let hasher = PasswordHasher::new(&chance).unwrap();
        let one = hasher.hash(&typed("cheval brun pluie lente"), &chance).unwrap();
        assert!(one.as_str().starts_with("$argon2id$v=19$m=19456,t=2,p=1$"), "{}", one.as_str());
        let two = hasher.hash(&typed("cheval brun pluie lente"), &chance).unwrap();
        assert_ne!(one, two, "a fresh salt each time");
        let stored = StoredPassword::parse(one.as_str()).unwrap();
        assert_eq!(hasher.verify(&stored, &typed("cheval brun pluie lente")), Ok(PasswordCheck::Right));
        for wrong in ["cheval brun pluie lent", "Cheval brun pluie lente", "cheval brun pluie lente "] {
            assert_eq!(hasher.verify(&stored, &typed(wrong)), Ok(PasswordCheck::Wrong), "{wrong}");
        }
        assert!(hasher.dummy.as_str().starts_with("$argon2id$v=19$m=19456,t=2,p=1$"), "same work");
        assert_eq!(hasher.verify_dummy(&typed("cheval brun pluie lente")), Ok(PasswordCheck::Wrong));
    }

    /// The known answer of the reference implementation's own tests: version 19, m = 65536, t = 2, p = 1.
    #[test]
    fn argon2id_matches_the_reference_implementation() {
        let params = Params::new(65_536, 2, 1, Some(32)).unwrap();
        let mut out = [0_u8; 32];
        Argon2::new(Algorithm::Argon2id, Version::V0x13, params)
            .hash_password_into(b"password", b"somesalt", &mut out)
            .unwrap();
        assert_eq!(
            data_encoding::HEXLOWER.encode(&out),
            "09316115d5cf24ed5a15a31a3ba326e5cf32edc24702987c02b6566f61913cf7"
        );
    }

    #[test]
    fn a_weakened_or_absurd_stored_hash_is_refused() {
        let tail = "$c29tZXNhbHRzb21lc2FsdA$CTFhFdXPJO1aFaMaO6Mm5c8y7cJHApl8ArZWb2GRPPc";
        assert!(StoredPassword::parse(&format!("$argon2id$v=19$m=19456,t=2,p=1{tail}")).is_ok());
        for bad in [
            format!("$argon2id$v=19$m=8,t=2,p=1{tail}"),
            format!("$argon2id$v=19$m=19455,t=2,p=1{tail}"),
            format!("$argon2id$v=19$m=19456,t=1,p=1{tail}"),
            format!("$argon2id$v=19$m=4294967295,t=2,p=1{tail}"),
            format!("$argon2id$v=19$m=19456,t=4000000,p=1{tail}"),
            format!("$argon2i$v=19$m=19456,t=2,p=1{tail}"),
            format!("$argon2id$v=16$m=19456,t=2,p=1{tail}"),
            "$argon2id$v=19$m=19456,t=2,p=1$c29tZXNhbHRzb21lc2FsdA".to_owned(),
            "$argon2id$v=19$m=19456,t=2,p=1$c29tZXNhbHQ$CTFhFdXPJO1aFaMaO6Mm5c8y7cJHApl8ArZWb2GRPPc"
                .to_owned(),
            "cheval brun".to_owned(),
            String::new(),
        ] {
            assert_eq!(StoredPassword::parse(&bad), Err(PasswordError::Stored), "{bad}");
        }
    }

    #[test]
    fn length_is_counted_in_characters_and_bounded() {
        assert_eq!(chosen("été noël ça").err(), Some(PasswordError::Length(11)));
        assert!(chosen("été noël çà ").is_ok());
        assert!(chosen(&"bleu vague ".repeat(50)[..256]).is_err(), "repeated words are weak");
        assert_eq!(Password::typed("é".repeat(257)).err(), Some(PasswordError::Length(257)));
        assert!(Password::typed("é".repeat(256)).is_ok());
        assert_eq!(Password::typed(String::new()).err(), Some(PasswordError::Length(0)));
        assert!(Password::typed("court".to_owned()).is_ok(), "signing in only bounds");
    }

    #[test]
    fn no_rule_of_composition_but_known_passwords_are_refused() {
        for good in ["cheval brun pluie lente", "tramway violet hérisson", "xqvzrtplmwdk", "9f2k7b4w8c1h"] {
            assert!(chosen(good).is_ok(), "{good}");
        }
        for bad in ["motdepasse123", "M0tDeP4sse!!!", "azertyuiop123", "marie.durand2024", "aaaaaaaaaaaa"] {
            assert!(matches!(chosen(bad), Err(PasswordError::Weak(_))), "{bad}");
        }
    }

    #[test]
    fn nothing_prints() {
        let hash = StoredPassword("$argon2id$…".to_owned());
        assert_eq!(format!("{:?} {hash:?}", typed("secret")), "Password StoredPassword");
    }

    #[test]
    fn the_gate_admits_a_few_queues_a_few_and_refuses_the_rest() {
        let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
        runtime.block_on(async {
            let gate = HashGate::new(1, 1);
            let first = gate.enter().await.unwrap();
            let waiting = tokio::spawn({
                let gate = gate.clone();
                async move { gate.enter().await.is_ok() }
            });
            tokio::task::yield_now().await;
            assert_eq!(gate.enter().await.err(), Some(HashGateFull));
            assert!(!waiting.is_finished());
            drop(first);
            assert!(waiting.await.unwrap());
            assert!(gate.enter().await.is_ok());
        });
    }
}
