//! A small evaluator that reads the rules one after the other, as the model says it, and shares no code with the matrix.
//!
//! It exists to be compared (publication, tests): it is slow and never answers a request.

use super::policy::{Claim, Effect, Rule};
use crate::domain::vocabulary::{Category, Profession, Purpose, Secrecy};

/// Some rule allows and none refuses. No rule at all allows nothing.
#[must_use]
pub fn allows(
    rules: &[Rule],
    profession: Profession,
    secrecy: Secrecy,
    category: Category,
    purpose: Purpose,
    claim: Claim,
) -> bool {
    let mut allowed = false;
    for rule in rules.iter().filter(|rule| rule.concerns(profession, secrecy, category, purpose)) {
        match (rule.effect, claim.covered_by(rule.cell)) {
            (Effect::Allow, true) => allowed = true,
            (Effect::Deny, false) => return false,
            (Effect::Allow, false) | (Effect::Deny, true) => {}
        }
    }
    allowed
}
