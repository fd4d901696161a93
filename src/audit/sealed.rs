//! Content before and after the commit of its record.
//!
//! INVARIANT: a [`Sealed`] tells nothing: no accessor, no `Debug`, no `Serialize`, no `Clone`, no `Deref`.
//! INVARIANT: only [`Lane::disclose`](super::Lane::disclose) turns it into a [`Disclosed`], and only once the record
//! is committed: the receipt that `Sealed::open` asks for exists for nothing else.
//!
//! THREAT: a closure that mints the readable content inside the transaction could leak it into a captured variable,
//! and a rollback would not take it back. So no closure ever meets the content; [`Sealed::map_fn`] takes a plain
//! function, which captures nothing. What types cannot hold (a function that writes to a global), review must: only
//! `store` seals, only `audit` opens.
//!
//! Peeking inside does not compile:
//! ```compile_fail,E0616
//! fn peek(sealed: relais::audit::Sealed<String>) -> String { sealed.0 }
//! ```
//! nor does opening without the lane:
//! ```compile_fail,E0624
//! fn open(sealed: relais::audit::Sealed<String>, receipt: &relais::audit::Receipt<()>) {
//!     let _readable = sealed.open(receipt);
//! }
//! ```
//! nor carrying it out by a closure that captures:
//! ```compile_fail,E0308
//! fn leak(sealed: relais::audit::Sealed<String>, out: std::cell::RefCell<String>) {
//!     let _rest = sealed.map_fn(move |text: String| { *out.borrow_mut() = text; });
//! }
//! ```
//! nor printing it:
//! ```compile_fail,E0277
//! fn print(sealed: relais::audit::Sealed<String>) -> String { format!("{sealed:?}") }
//! ```
//! nor sending it as JSON:
//! ```compile_fail,E0277
//! fn send(sealed: relais::audit::Sealed<String>) -> String { serde_json::to_string(&sealed).unwrap() }
//! ```
//! nor copying it:
//! ```compile_fail,E0599
//! fn twice(sealed: relais::audit::Sealed<String>) { let _copy = sealed.clone(); }
//! ```
//! nor minting the readable form:
//! ```compile_fail,E0423
//! fn mint() -> relais::audit::Disclosed<String> { relais::audit::Disclosed(String::new()) }
//! ```
//! while readable content is used like any value:
//! ```
//! fn length(readable: &relais::audit::Disclosed<String>) -> usize { readable.len() }
//! ```

use std::ops::Deref;

use super::lane::Receipt;

/// Content fetched and decrypted under a grant, not yet readable.
#[must_use = "sealed content is of use to nobody until its record is committed"]
pub struct Sealed<T>(T);

/// The same content, readable: its record is committed.
pub struct Disclosed<T>(T);

impl<T> Sealed<T> {
    /// Seals content. Called by `store` only, on what it decrypted under a grant.
    pub(crate) const fn seal(content: T) -> Self {
        Self(content)
    }

    /// The content, once a record that says "permitted" is committed.
    pub(super) fn open(self, _committed: &Receipt<()>) -> Disclosed<T> {
        Disclosed(self.0)
    }

    /// Transforms the content, still sealed, by a function that captures nothing.
    pub fn map_fn<U>(self, f: fn(T) -> U) -> Sealed<U> {
        Sealed(f(self.0))
    }

    /// Puts the content back to rest: `seal` sees it once and keeps ciphertext and keyed digests of it.
    ///
    /// INVARIANT: called by `store::fact` alone, which encrypts it for another row; nothing readable comes out.
    pub(crate) fn into_rest<R>(self, seal: impl FnOnce(&T) -> R) -> R {
        seal(&self.0)
    }

    /// Two sealed contents as one.
    pub fn zip<U>(self, other: Sealed<U>) -> Sealed<(T, U)> {
        Sealed((self.0, other.0))
    }

    /// Joins what is already known to what is sealed, for a later [`Sealed::map_fn`].
    pub fn with<M>(self, known: M) -> Sealed<(M, T)> {
        Sealed((known, self.0))
    }

    /// Many sealed contents as one sealed list.
    pub fn all(many: Vec<Self>) -> Sealed<Vec<T>> {
        Sealed(many.into_iter().map(|one| one.0).collect())
    }
}

impl<T> Disclosed<T> {
    /// The content itself, to be rendered.
    #[must_use]
    pub fn into_inner(self) -> T {
        self.0
    }

    /// A part or another form of what is already readable.
    #[must_use]
    pub fn map<U>(self, f: impl FnOnce(T) -> U) -> Disclosed<U> {
        Disclosed(f(self.0))
    }
}

impl<T> Disclosed<Option<T>> {
    /// What is readable, where there is something.
    #[must_use]
    pub fn transposed(self) -> Option<Disclosed<T>> {
        self.0.map(Disclosed)
    }
}

impl<T> Deref for Disclosed<T> {
    type Target = T;

    fn deref(&self) -> &T {
        &self.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn combinators_keep_order_and_stay_sealed() {
        let pair = Sealed::seal(1).zip(Sealed::seal("a")).with(true);
        let all = Sealed::all(vec![pair, Sealed::seal((2, "b")).with(false)]);
        let sum = all.map_fn(|rows| {
            rows.into_iter().map(|(known, (n, t))| format!("{known}{n}{t}")).collect::<String>()
        });
        assert_eq!(sum.open(&Receipt::for_tests()).into_inner(), "true1afalse2b");
    }
}
