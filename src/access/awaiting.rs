//! What a second person is awaited for: a no of the family that a statutory record goes against (LAW §4).
//!
//! INVARIANT: it has no rule of its own. The question is gate 6's, asked of every reader and version that the record names.

use super::facts::{PathwayFacts, StatuteFile};
use super::item::{Mode, Question, accord_of, cell_of};
use super::memo::Memo;
use super::standing::CharterBook;
use crate::clock::Timestamp;
use crate::domain::cell::{AccordFact, Cell};
use crate::domain::statute::validated_since;
use crate::domain::vocabulary::Purpose;

/// Whether gate 6 stops a reader of this record at a no that nobody validated it against.
#[must_use]
pub fn awaits_validation(
    facts: &PathwayFacts,
    book: &CharterBook,
    file: &StatuteFile,
    now: Timestamp,
) -> bool {
    let draft = file.record.draft();
    let memo = Memo::default();
    draft.recipients.iter().filter_map(|r| facts.participation(&r.participation)).any(|reader| {
        let matrix = book.explaining(&reader.assignment, now);
        draft.items.iter().filter_map(|version| facts.version(version)).any(|(item, version)| {
            let question = Question {
                facts,
                book,
                assignment: &reader.assignment,
                participation: Some(reader),
                asker: None,
                item,
                version,
                purpose: Some(Purpose::Protection),
                mode: Mode::Read,
                now,
            };
            let (profession, secrecy) = (reader.assignment.profession, reader.assignment.secrecy_at(now));
            let cell = matrix.as_ref().map_or(Cell::NEVER, |m| cell_of(m, profession, secrecy, item));
            let said = accord_of(&question, &memo, Purpose::Protection, cell.need(), true);
            match said.fact {
                AccordFact::Refused | AccordFact::Withdrawn => {
                    !validated_since(&file.record, &file.events, said.refused_at, now)
                }
                AccordFact::None
                | AccordFact::Opening
                | AccordFact::Category
                | AccordFact::Informed
                | AccordFact::Expired => false,
            }
        })
    })
}
