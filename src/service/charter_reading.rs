//! The charter as people read it: its texts, and for each profession what it may receive and on which condition.
//!
//! It decides nothing: what may be read is decided by `access`, on the same matrix.

use super::ServiceError;
use super::app::App;
use super::charters::{CharterEdition, edition_view};
use super::flow::{Act, Call, Desk};
use super::sessions::row_ref;
use crate::access::Edition;
use crate::audit::Disclosed;
use crate::charter::{Clause, Matrix, MatrixRow, Pack, Sheet, french, print};
use crate::domain::cell::Need;
use crate::domain::record::{Action, ResourceKind};
use crate::domain::vocabulary::{Category, Function, Profession, Purpose, Secrecy};

/// The needs, from the widest door to the closed one.
const NEEDS: [Need; 4] = [Need::Opening, Need::Category, Need::Informed, Need::Never];

/// One subject in the row of a profession.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Subject {
    pub category: Category,
    pub need: Need,
    /// Whether the sharing that the law provides for can open it too.
    pub statute: bool,
    /// Whether the charter is stricter here than the ceiling.
    pub stricter: bool,
}

/// The subjects of a row that ask for the same accord.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct NeedGroup {
    pub need: Need,
    pub heading: &'static str,
    pub subjects: Vec<Subject>,
}

/// What a profession may receive, at most.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Receiver {
    pub profession: Profession,
    pub secrecy: Secrecy,
    /// Whether it is the row of the reader.
    pub mine: bool,
    pub groups: Vec<NeedGroup>,
    /// In the order of the categories.
    pub subjects: Vec<Subject>,
}

impl Receiver {
    #[must_use]
    pub fn receives_nothing(&self) -> bool {
        self.subjects.iter().all(|s| s.need == Need::Never)
    }
}

/// What a purpose carries.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct PurposeLine {
    pub purpose: Purpose,
    pub carries: Vec<Category>,
}

/// What a pack proposes.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct PackLine {
    pub purpose: Purpose,
    pub subjects: Vec<Category>,
}

/// One version, for reading.
pub struct EditionReading {
    pub edition: CharterEdition,
    pub sheet: Sheet,
    pub receivers: Vec<Receiver>,
    pub purposes: Vec<PurposeLine>,
    pub packs: Vec<PackLine>,
    /// Whether the reader can sign it now.
    pub may_sign: bool,
    /// The structure for which the reader can sign it now.
    pub sign_for: Option<String>,
}

/// The version in force, and the one announced.
pub struct CharterReading {
    pub in_force: Option<EditionReading>,
    pub announced: Option<EditionReading>,
}

fn receiver(
    matrix: &Matrix,
    (profession, secrecy, row): (Profession, Secrecy, &MatrixRow),
    mine: Option<(Profession, Secrecy)>,
) -> Receiver {
    let subjects: Vec<Subject> = Category::ALL
        .iter()
        .map(|&category| Subject {
            category,
            need: row.cell(category).need(),
            statute: print::statute_possible(matrix, secrecy, category, row.cell(category)),
            stricter: match row.clause(category) {
                Clause::Charter { .. } => true,
                Clause::Ceiling => false,
            },
        })
        .collect();
    let groups = NEEDS
        .into_iter()
        .map(|need| NeedGroup {
            need,
            heading: french::heading(need),
            subjects: subjects.iter().filter(|s| s.need == need).copied().collect(),
        })
        .filter(|g| !g.subjects.is_empty())
        .collect();
    Receiver { profession, secrecy, mine: mine == Some((profession, secrecy)), groups, subjects }
}

/// What is read of a matrix, for a reader of this profession and secrecy.
pub(crate) fn receivers(matrix: &Matrix, mine: Option<(Profession, Secrecy)>) -> Vec<Receiver> {
    print::rows(matrix).map(|row| receiver(matrix, row, mine)).collect()
}

/// What each purpose carries.
pub(crate) fn purposes(matrix: &Matrix) -> Vec<PurposeLine> {
    Purpose::ALL
        .iter()
        .map(|&purpose| PurposeLine {
            purpose,
            carries: Category::ALL
                .iter()
                .copied()
                .filter(|&category| matrix.purpose_carries(purpose, category))
                .collect(),
        })
        .collect()
}

/// What each pack proposes.
pub(crate) fn packs(sheet: &Sheet) -> Vec<PackLine> {
    Pack::ALL
        .into_iter()
        .map(|pack| PackLine { purpose: pack.purpose(), subjects: sheet.pack(pack).to_vec() })
        .collect()
}

fn reading(desk: &mut Desk<'_>, edition: &Edition) -> Result<EditionReading, ServiceError> {
    let now = desk.now;
    let view = edition_view(desk, edition)?;
    let actor = match desk.signed_in.actor() {
        Ok(actor) if actor.assignment().in_force(now) => Some(actor.assignment().clone()),
        Ok(_) | Err(_) => None,
    };
    let mine = actor.as_ref().map(|a| (a.profession, a.secrecy_at(now).receiving()));
    let managed = actor.as_ref().filter(|a| a.function == Function::Manager).map(|a| a.organisation.clone());
    let sign_for = match managed {
        Some(own) if !edition.signed_by.contains(&own) => {
            desk.snapshot.organisation_fetch(&own)?.map(|o| o.words.name)
        }
        Some(_) | None => None,
    };
    Ok(EditionReading {
        receivers: receivers(&edition.matrix, mine),
        purposes: purposes(&edition.matrix),
        packs: packs(edition.charter.sheet()),
        sheet: edition.charter.sheet().clone(),
        may_sign: actor.is_some() && !view.signed_by_me,
        sign_for,
        edition: view,
    })
}

impl App {
    /// The charter in force and the one announced, for reading. Anybody who is signed in.
    ///
    /// # Errors
    /// [`ServiceError`].
    pub fn charter_reading(&self, call: &Call) -> Result<Disclosed<CharterReading>, ServiceError> {
        let act = Act { action: Action::Read, resource: ResourceKind::Charter };
        self.read_desk(call, act, |desk| {
            let (book, now) = (desk.book, desk.now);
            let announced = book.latest().filter(|e| e.effective_at > now);
            let mut view = CharterReading { in_force: None, announced: None };
            if let Some(edition) = book.in_force(now) {
                desk.returned.push(row_ref("charter", edition.id.as_str(), edition.number));
                view.in_force = Some(reading(desk, edition)?);
            }
            if let Some(edition) = announced {
                desk.returned.push(row_ref("charter", edition.id.as_str(), edition.number));
                view.announced = Some(reading(desk, edition)?);
            }
            Ok(view)
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::service::testing::Territory;

    #[test]
    fn every_cell_is_read_once_under_its_condition_and_the_readers_row_is_marked() {
        let t = Territory::new();
        let read = t.app.charter_reading(&t.call("teacher")).unwrap().into_inner();
        let edition = read.in_force.unwrap();
        assert!(read.announced.is_none());
        let mine: Vec<_> = edition.receivers.iter().filter(|r| r.mine).collect();
        assert_eq!(mine.len(), 1);
        assert_eq!((mine[0].profession, mine[0].secrecy), (Profession::Teacher, Secrecy::NotBound));
        for row in &edition.receivers {
            let grouped: usize = row.groups.iter().map(|g| g.subjects.len()).sum();
            assert_eq!(grouped, Category::ALL.len());
        }
        assert!(!edition.may_sign && edition.sign_for.is_none(), "the territory has signed");
    }
}
