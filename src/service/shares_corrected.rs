//! Texts that were corrected after they were shared: who still reads the words from before, and what the new ones lack.
//!
//! INVARIANTS
//! * Only the sharer is told, of its own shares: to anybody else this list is empty, whoever wrote the text (S11).
//! * Nothing joins a share by itself (R22): this says what is left to do, and does nothing.

use super::flow::{Act, Call, Scene};
use super::members::me;
use super::preview::{ReaderView, Subject, judge, told};
use super::share_views::{readers_of, reads_now};
use super::shares::over;
use super::{App, ServiceError};
use crate::access::Resource;
use crate::access::facts::{ItemFacts, ParticipationFacts, ShareFacts};
use crate::audit::Disclosed;
use crate::domain::record::{Action, ResourceKind, RowRef};
use crate::domain::vocabulary::Purpose;
use crate::ids::{ItemId, PathwayId, ShareId};

/// Somebody who reads words that were corrected since.
#[derive(Clone, Debug)]
pub struct LeftBehind {
    pub item: ItemId,
    pub share: ShareId,
    pub purpose: Purpose,
    /// The reader, and what the new words lack to be read: nothing, when sharing them is all.
    pub reader: ReaderView,
}

/// Each item of a share with each of its readers who reads a corrected version, and not the one that replaces it.
pub(super) fn left_behind<'a>(
    scene: &mut Scene<'a>,
    share: &ShareFacts,
) -> Vec<(&'a ItemFacts, &'a ParticipationFacts)> {
    let facts = scene.gate.facts();
    let mut found: Vec<(&ItemFacts, &ParticipationFacts)> = Vec::new();
    let older = share.versions.iter().filter_map(|id| facts.version(id));
    for (item, version) in older {
        let Some(current) = item.current().filter(|current| current.id != version.id) else { continue };
        for reader in readers_of(scene, share) {
            let known = found.iter().any(|(i, r)| i.id == item.id && r.id == reader.id);
            if !known
                && reads_now(scene, share.purpose, reader, item, version).permitted
                && !reads_now(scene, share.purpose, reader, item, current).permitted
            {
                found.push((item, reader));
            }
        }
    }
    found
}

impl App {
    /// Who reads, of what the asker shares, words that were corrected since.
    ///
    /// # Errors
    /// [`ServiceError`].
    pub fn shares_corrected(
        &self,
        call: &Call,
        pathway: &PathwayId,
    ) -> Result<Disclosed<Vec<LeftBehind>>, ServiceError> {
        let act = Act { action: Action::List, resource: ResourceKind::Share };
        self.read(call, act, pathway, |scene| {
            scene.gate.resource(Resource::Contribute)?;
            let myself = me(scene)?;
            let mine =
                scene.gate.facts().shares.iter().filter(|s| s.sharer == myself.id && !over(s, scene.now));
            let mut views = Vec::new();
            for share in mine.collect::<Vec<_>>() {
                let behind = left_behind(scene, share);
                if !behind.is_empty() {
                    scene.returned.push(RowRef {
                        table: "fact",
                        id: share.id.as_str().to_owned(),
                        version: share.version,
                    });
                }
                for (item, reader) in behind {
                    let Some(current) = item.current() else { continue };
                    let subject = Subject { item: item.clone(), version: current.clone(), written: true };
                    let decision = judge(scene, reader, &subject, share.purpose, None);
                    let member = self.member_view(scene.snapshot, scene.gate.book(), reader, scene.now)?;
                    let thing =
                        told(scene, reader, &member, &subject, share.purpose, Some(share.ends), &decision);
                    views.push(LeftBehind {
                        item: item.id.clone(),
                        share: share.id.clone(),
                        purpose: share.purpose,
                        reader: ReaderView { member, will_read_all: thing.will_read, things: vec![thing] },
                    });
                }
            }
            Ok(scene.seal_facts(views))
        })
    }
}
