//! After a correction: who still reads the words from before, what the new ones lack, whom to call.

use super::decision::{About, Why};
use crate::domain::vocabulary::Purpose;
use crate::ids::ItemId;
use crate::service::App;
use crate::service::members::MemberView;
use crate::service::shares_corrected::LeftBehind;
use crate::web::pages::frame::{Frame, pathway_of};
use crate::web::route::{Fault, Incoming};

/// Somebody who reads words that were corrected since.
pub struct Behind {
    pub item: ItemId,
    pub purpose: Purpose,
    pub member: MemberView,
    /// The share that carries the words from before.
    pub share: String,
    /// Where the new words join it.
    pub join: String,
    /// What the new words lack to be read; nothing, when sharing them is all.
    pub why: Vec<Why>,
}

impl Behind {
    fn of(frame: &Frame, found: LeftBehind) -> Self {
        let about = About { frame, purpose: found.purpose, labels: &[], rest: "" };
        let missing = |thing| about.missing_of(&found.reader.member, thing);
        let share = frame.at(&format!("/partages/{}", found.share));
        Self {
            why: found.reader.things.iter().filter(|t| !t.will_read).flat_map(missing).collect(),
            join: format!("{share}/ajouter?item={}", found.item),
            share,
            item: found.item,
            purpose: found.purpose,
            member: found.reader.member,
        }
    }

    /// Whether sharing the new words is all that is left to do.
    #[must_use]
    pub fn ready(&self) -> bool {
        self.why.is_empty()
    }
}

/// Those of one's own shares who read words that were corrected since.
///
/// # Errors
/// As the read.
pub fn read(app: &App, incoming: &Incoming, frame: &Frame) -> Result<Vec<Behind>, Fault> {
    let found = app.shares_corrected(incoming.call()?, &pathway_of(incoming)?)?.into_inner();
    Ok(found.into_iter().map(|one| Behind::of(frame, one)).collect())
}

/// For samples.
#[cfg(test)]
pub mod sample {
    use super::super::decision::sample::{item_id, member, no, reader, yes};
    use super::*;
    use crate::domain::cell::Reason;
    use crate::domain::vocabulary::{Category, Profession, Secrecy};
    use crate::ids::ShareId;

    /// The direction of a stay: the new words are to be validated first, or only to be shared.
    pub fn behind(frame: &Frame, ready: bool) -> Behind {
        let director = member('b', "Paul Girard", Profession::StayOrganiser, Secrecy::NotBound);
        let thing =
            if ready { yes('a') } else { no('a', Category::HealthMinimal, Reason::NotFamilyReleased) };
        let found = LeftBehind {
            item: item_id('a'),
            share: ShareId::parse(&"a".repeat(26)).unwrap(),
            purpose: Purpose::Stay,
            reader: reader(director, vec![thing]),
        };
        Behind::of(frame, found)
    }
}
