//! What a writer is offered: the subjects of the own row, and the lists of the charter that coded fields refer to.
//!
//! It keeps nothing and checks nothing that is written: `items` does.

use serde::Serialize;
use utoipa::ToSchema;

use super::app::App;
use super::error::ServiceError;
use super::flow::{Act, Call};
use super::items::{charter, may_write};
use super::who::still_open;
use crate::access::Resource;
use crate::audit::Disclosed;
use crate::charter::Pack;
use crate::domain::record::{Action, ResourceKind};
use crate::domain::vocabulary::Category;
use crate::ids::PathwayId;

/// A code of the charter with its words.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct CodedView {
    pub code: String,
    pub words: String,
}

/// What may be written, and with which codes.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct WritingView {
    /// The subjects that the writer may write on here.
    pub categories: Vec<Category>,
    /// Those that a stay sheet may carry.
    pub stay: Vec<Category>,
    pub needs: Vec<CodedView>,
    pub judicial_kinds: Vec<CodedView>,
    /// Terms of the glossary with their definitions.
    pub terms: Vec<CodedView>,
}

impl App {
    /// What the asker may write here.
    ///
    /// # Errors
    /// [`ServiceError`].
    pub fn writing(&self, call: &Call, pathway: &PathwayId) -> Result<Disclosed<WritingView>, ServiceError> {
        let act = Act { action: Action::Preview, resource: ResourceKind::Item };
        self.read(call, act, pathway, |scene| {
            scene.gate.resource(Resource::Contribute)?;
            let me = scene.gate.participation().ok_or(ServiceError::AbsentOrRefused)?;
            still_open(scene.gate.facts())?;
            let charter = charter(scene)?;
            let sheet = charter.sheet();
            let coded =
                |code: &str, words: &str| CodedView { code: code.to_owned(), words: words.to_owned() };
            let view = WritingView {
                categories: Category::ALL
                    .iter()
                    .copied()
                    .filter(|c| may_write(scene, me, [*c]).is_ok())
                    .collect(),
                stay: charter.pack(Pack::Stay).to_vec(),
                needs: sheet.needs.iter().map(|n| coded(&n.code, &n.words)).collect(),
                judicial_kinds: sheet.judicial_kinds.iter().map(|k| coded(&k.code, &k.words)).collect(),
                terms: sheet.glossary.iter().map(|t| coded(&t.term, &t.definition)).collect(),
            };
            Ok(scene.seal_facts(view))
        })
    }
}
