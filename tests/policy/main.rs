//! The policy, judged by everything that can judge it: matrix, reference evaluator, casbin, cedar-policy, the decision
//! table, and a slow second writing of its rules from the prose.

#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "a test helper that cannot go on fails its test"
)]

mod cells;
mod decisions;
mod golden;
mod prose;
mod support;
