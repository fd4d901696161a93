//! A recorded decision judged again (see `audit::replay`), in words for the auditor.

use std::sync::Arc;

use serde::Serialize;

use crate::access::CharterBook;
use crate::audit::LeafBody;
use crate::audit::replay::{Difference, Replayed, Versions, replay_record};
use crate::charter::{Charter, Matrix};
use crate::store::charter::CharterRow;

/// What a replay of one record says.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, utoipa::ToSchema)]
pub struct ReplayView {
    /// Whether every decision gives the same answer again.
    pub equal: bool,
    /// Decisions judged again on their facts.
    pub decisions: u64,
    /// In French.
    pub sentence: String,
    /// In French, one for each decision that does not.
    pub differences: Vec<String>,
}

/// The charters as they are stored, compiled. One that no longer compiles to its hash is left out: a record that cites
/// it is then told, instead of being judged under another text.
#[must_use]
pub fn charter_versions(rows: &[CharterRow]) -> Versions {
    let matrix = |row: &CharterRow| -> Option<Arc<Matrix>> {
        let charter = Charter::from_files(&row.charter_text, &row.policy_text).ok()?;
        (charter.policy_hash() == row.policy_hash).then(|| Arc::new(charter.matrix().clone()))
    };
    Versions::new(rows.iter().filter_map(matrix).collect())
}

fn sentence(count: &Replayed) -> String {
    if count.differences > 0 {
        return "Rejouée, elle ne donne pas la même réponse : prévenez le responsable du traitement et vérifiez le journal."
            .to_owned();
    }
    match (count.decisions, count.plain) {
        (0, 0) => "Cette trace ne contient aucune décision à rejouer.".to_owned(),
        (0, _) => "Ses décisions ne dépendaient pas de la charte : leur issue s'accorde avec leurs raisons.".to_owned(),
        _ => "Rejouée sur les mêmes faits, avec la version de la charte qu'elle cite, elle donne la même réponse."
            .to_owned(),
    }
}

fn told(difference: &Difference) -> String {
    let mut said = difference.mismatch.french().to_owned();
    if let Some(hash) = &difference.charter {
        said.push_str(&format!(" ({hash})"));
    }
    if let (Some(recorded), Some(now)) = (&difference.recorded, &difference.now) {
        said.push_str(&format!(" : enregistré `{recorded}`, rejoué `{now}`"));
    }
    said
}

/// Judges one record again, under the charters of this book.
pub(super) fn replay(book: &CharterBook, body: &LeafBody) -> ReplayView {
    let mut versions = Versions::new(book.editions().iter().map(|e| Arc::clone(&e.matrix)).collect());
    let (mut count, mut differences) = (Replayed::default(), Vec::new());
    replay_record(body, &mut versions, &mut count, &mut |d| differences.push(told(&d)));
    ReplayView {
        equal: count.differences == 0,
        decisions: count.decisions,
        sentence: sentence(&count),
        differences,
    }
}
