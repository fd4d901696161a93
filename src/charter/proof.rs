//! Publication's proof: matrix, reference evaluator and casbin are asked the same questions; one difference refuses.
//!
//! Invariant: every (row, category, purpose, claim) is asked, rows that allow nothing included. Nothing here answers a
//! request.

use super::engine::{Engine, block_on};
use super::error::CharterError;
use super::matrix::Matrix;
use super::policy::{Claim, Rule};
use super::reference;
use crate::domain::vocabulary::{Category, Profession, Purpose, Secrecy};

/// One question put to the evaluators.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub struct Question {
    pub profession: Profession,
    pub secrecy: Secrecy,
    pub category: Category,
    pub purpose: Purpose,
    pub claim: Claim,
}

/// What the matrix says: the purpose carries the category and the cell covers the claim.
#[must_use]
pub fn matrix_allows(matrix: &Matrix, q: &Question) -> bool {
    matrix.purpose_carries(q.purpose, q.category)
        && q.claim.covered_by(matrix.cell(q.profession, q.secrecy, q.category))
}

/// What the reference evaluator says.
#[must_use]
pub fn reference_allows(rules: &[Rule], q: &Question) -> bool {
    reference::allows(rules, q.profession, q.secrecy, q.category, q.purpose, q.claim)
}

/// Every question about one recipient.
pub fn questions(profession: Profession, secrecy: Secrecy) -> impl Iterator<Item = Question> {
    Category::ALL.iter().flat_map(move |&category| {
        Purpose::ALL.iter().flat_map(move |&purpose| {
            Claim::ALL.map(|claim| Question { profession, secrecy, category, purpose, claim })
        })
    })
}

/// Asks casbin the given questions about one recipient.
///
/// # Errors
/// An engine that cannot load the rules or answer.
pub fn casbin_answers(
    rules: &[Rule],
    profession: Profession,
    secrecy: Secrecy,
    asked: &[Question],
) -> Result<Vec<bool>, CharterError> {
    block_on(async {
        let engine = Engine::load(rules, profession, secrecy).await?;
        asked.iter().map(|q| engine.allows(q.category, q.purpose, q.claim)).collect()
    })
}

/// Holds the three against each other on every cell.
///
/// # Errors
/// The first difference.
pub fn prove(rules: &[Rule], matrix: &Matrix) -> Result<(), CharterError> {
    for &profession in Profession::ALL {
        for secrecy in [Secrecy::Bound, Secrecy::NotBound] {
            let asked: Vec<Question> = questions(profession, secrecy).collect();
            let casbin = casbin_answers(rules, profession, secrecy, &asked)?;
            for (q, engine) in asked.iter().zip(casbin) {
                let ours = matrix_allows(matrix, q);
                if ours != engine || ours != reference_allows(rules, q) {
                    let place = [
                        q.profession.code(),
                        q.secrecy.code(),
                        q.category.code(),
                        q.purpose.code(),
                        q.claim.code(),
                    ];
                    return Err(CharterError::Disagreement(place.join(", ")));
                }
            }
        }
    }
    Ok(())
}
