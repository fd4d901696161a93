//! The charter: read, signed by persons and by structures, published (S14).
//!
//! INVARIANT: a signature binds the two hashes that the signer was shown; others are refused.
//! INVARIANT: what is published was computed three ways (`Charter::publish`); the first version takes effect at once,
//! a later one thirty Paris days on.

use serde::Serialize;

use super::ServiceError;
use super::app::App;
use super::console::Author;
use super::flow::{Act, Call, Change, Created, Desk};
use super::sessions::row_ref;
use crate::access::Edition;
use crate::audit::Disclosed;
use crate::charter::{self, Charter, print};
use crate::clock::{Timestamp, plus_days};
use crate::domain::record::{Action, ResourceKind};
use crate::domain::text::Text;
use crate::domain::vocabulary::Function;
use crate::ids::{CharterId, OrganisationId};
use crate::store::charter::{CharterRow, CharterSignature, Party};

/// Days between the publication of a later version and its day.
pub const NOTICE_DAYS: u64 = 30;

/// A hash as a client sends it back.
pub type HexHash = Text<64>;

/// A structure that signed.
#[derive(Serialize, utoipa::ToSchema)]
pub struct CharterParty {
    #[schema(value_type = String)]
    pub organisation: OrganisationId,
    pub name: String,
    pub signed_at: String,
}

/// One published version.
#[derive(Serialize, utoipa::ToSchema)]
pub struct CharterEdition {
    #[schema(value_type = String)]
    pub id: CharterId,
    pub number: i64,
    pub title: String,
    pub version: String,
    pub published_at: String,
    pub effective_at: String,
    pub text_hash: String,
    pub policy_hash: String,
    /// The sheet, as it was published (TOML).
    pub charter_text: String,
    /// The rules, as they were published (CSV).
    pub policy_text: String,
    /// The matrix, for reading (Markdown).
    pub matrix: String,
    /// What changes from the version before, in French sentences.
    pub differences: Vec<String>,
    pub signed_by: Vec<CharterParty>,
    pub signed_by_me: bool,
    /// Whether one's own structure signed.
    pub signed_by_my_organisation: bool,
}

/// The charter in force, and the one announced.
#[derive(Serialize, utoipa::ToSchema)]
pub struct CharterView {
    pub in_force: Option<CharterEdition>,
    pub announced: Option<CharterEdition>,
}

pub(super) fn edition_view(desk: &mut Desk<'_>, edition: &Edition) -> Result<CharterEdition, ServiceError> {
    let previous = desk.book.editions().iter().rev().find(|e| e.number < edition.number);
    let mut signed_by = Vec::new();
    for (charter, organisation, at) in desk.snapshot.charter_organisations()? {
        if charter == edition.id {
            let name =
                desk.snapshot.organisation_fetch(&organisation)?.map_or_else(String::new, |o| o.words.name);
            signed_by.push(CharterParty { organisation, name, signed_at: at.rfc3339() });
        }
    }
    let rows = desk.snapshot.assignments_of(desk.signed_in.professional())?;
    let own = desk.signed_in.actor().ok().map(|a| a.assignment().organisation.clone());
    Ok(CharterEdition {
        id: edition.id.clone(),
        number: edition.number,
        title: edition.charter.title().to_owned(),
        version: edition.charter.version().to_owned(),
        published_at: edition.published_at.rfc3339(),
        effective_at: edition.effective_at.rfc3339(),
        text_hash: edition.charter.text_hash().to_owned(),
        policy_hash: edition.matrix.policy_hash().to_owned(),
        charter_text: edition.charter.charter_toml().to_owned(),
        policy_text: edition.charter.policy_csv().to_owned(),
        matrix: print::markdown(&edition.matrix, Some(&edition.charter)),
        differences: previous.map_or_else(Vec::new, |p| charter::diff(&p.charter, &edition.charter)),
        signed_by_me: rows.first().is_some_and(|r| r.facts.signed.contains(&edition.id)),
        signed_by_my_organisation: own.is_some_and(|o| edition.signed_by.contains(&o)),
        signed_by,
    })
}

/// The version whose two hashes these are, if it can be signed now: in force, or announced.
fn to_sign<'a>(
    desk: &'a Desk<'_>,
    text_hash: &HexHash,
    policy_hash: &HexHash,
) -> Result<&'a Edition, ServiceError> {
    let in_force = desk.book.in_force(desk.now).map_or(i64::MIN, |e| e.number);
    desk.book
        .editions()
        .iter()
        .filter(|e| e.number >= in_force)
        .find(|e| {
            e.charter.text_hash() == text_hash.as_str() && e.matrix.policy_hash() == policy_hash.as_str()
        })
        .ok_or_else(|| {
            ServiceError::rule(
                "charter_not_this_one",
                "Cette version de la charte n'est ni en vigueur ni annoncée : relisez celle d'aujourd'hui avant de signer.",
            )
        })
}

fn signature(desk: &Desk<'_>, edition: &Edition, party: Party) -> Result<CharterSignature, ServiceError> {
    Ok(CharterSignature {
        charter: edition.id.clone(),
        party,
        signed_by: desk.signed_in.actor()?.assignment().id.clone(),
        signed_at: desk.now,
        text_hash: edition.charter.text_hash().to_owned(),
        policy_hash: edition.matrix.policy_hash().to_owned(),
    })
}

fn already() -> ServiceError {
    ServiceError::rule("charter_already_signed", "Cette version de la charte est déjà signée.")
}

impl App {
    /// The charter in force and the one announced.
    ///
    /// # Errors
    /// [`ServiceError`].
    pub fn charter(&self, call: &Call) -> Result<Disclosed<CharterView>, ServiceError> {
        let act = Act { action: Action::Read, resource: ResourceKind::Charter };
        self.read_desk(call, act, |desk| {
            let in_force = desk.book.in_force(desk.now);
            let announced = desk.book.latest().filter(|e| e.effective_at > desk.now);
            let mut view = CharterView { in_force: None, announced: None };
            if let Some(edition) = in_force {
                desk.returned.push(row_ref("charter", edition.id.as_str(), edition.number));
                view.in_force = Some(edition_view(desk, edition)?);
            }
            if let Some(edition) = announced {
                desk.returned.push(row_ref("charter", edition.id.as_str(), edition.number));
                view.announced = Some(edition_view(desk, edition)?);
            }
            Ok(view)
        })
    }

    /// One's own signature.
    ///
    /// # Errors
    /// Hashes that are those of no version to sign; a signature that is there already.
    pub fn sign_charter(
        &self,
        call: &Call,
        text_hash: &HexHash,
        policy_hash: &HexHash,
    ) -> Result<Created, ServiceError> {
        let act = Act { action: Action::Sign, resource: ResourceKind::Charter };
        self.change_desk(call, act, |desk| {
            let me = desk.signed_in.professional().clone();
            if !desk.signed_in.actor()?.assignment().in_force(desk.now) {
                return Err(ServiceError::AbsentOrRefused);
            }
            let edition = to_sign(desk, text_hash, policy_hash)?;
            let row = signature(desk, edition, Party::Professional(me.clone()))?;
            let rows = desk.snapshot.assignments_of(&me)?;
            if rows.iter().any(|r| r.facts.signed.contains(&row.charter)) {
                return Err(already());
            }
            let written = row_ref("charter_signature", row.charter.as_str(), 1);
            let touched: Vec<_> = rows.into_iter().map(|r| r.facts.id).collect();
            Ok(Change::new(row.charter.as_str()).step(written, move |tx, _| {
                tx.charter_sign(&row)?;
                // Gate 1 reads the signature: whoever decides on these affectations decides again.
                touched.iter().try_for_each(|a| tx.assignment_touch(a))
            }))
        })
    }

    /// The signature of the structure whose manager acts.
    ///
    /// # Errors
    /// [`ServiceError::AbsentOrRefused`] unless the actor is a manager in force; as [`App::sign_charter`].
    pub fn sign_charter_for_organisation(
        &self,
        call: &Call,
        text_hash: &HexHash,
        policy_hash: &HexHash,
    ) -> Result<Created, ServiceError> {
        let act = Act { action: Action::Sign, resource: ResourceKind::Organisation };
        self.change_desk(call, act, |desk| {
            let actor = desk.signed_in.functioning_as(Function::Manager, desk.now)?;
            let organisation = actor.assignment().organisation.clone();
            let edition = to_sign(desk, text_hash, policy_hash)?;
            if edition.signed_by.contains(&organisation) {
                return Err(already());
            }
            let row = signature(desk, edition, Party::Organisation(organisation))?;
            let written = row_ref("charter_signature", row.charter.as_str(), 1);
            Ok(Change::new(row.charter.as_str()).step(written, move |tx, _| tx.charter_sign(&row)))
        })
    }

    /// Publishes a charter: the first at once, a later one thirty days ahead.
    ///
    /// # Errors
    /// A charter on which the three computations do not agree, or that is published already.
    pub fn charter_publish(
        &self,
        author: Author<'_>,
        charter: &Charter,
    ) -> Result<(Created, Timestamp), ServiceError> {
        let act = Act { action: Action::Publish, resource: ResourceKind::Charter };
        let matrix =
            charter.publish().map_err(|e| ServiceError::rule("charter_not_proved", e.to_string()))?;
        let id = CharterId::random(self.chance())?;
        let effective = std::cell::Cell::new(Timestamp::MAX);
        let created = self.administer(author, act, |office| {
            office.administers()?;
            let latest = office.book.latest();
            if latest.is_some_and(|e| e.charter.text_hash() == charter.text_hash()) {
                return Err(ServiceError::rule(
                    "charter_already_published",
                    "Cette charte est déjà publiée, mot pour mot : il n'y a rien à faire.",
                ));
            }
            let effective_at = match latest {
                None => office.now,
                Some(_) => plus_days(office.now.paris_day(), NOTICE_DAYS)
                    .map(Timestamp::paris_midnight)
                    .ok_or_else(|| ServiceError::Internal("a day outside the calendar".to_owned()))?,
            };
            effective.set(effective_at);
            let row = CharterRow {
                id: id.clone(),
                number: latest.map_or(1, |e| e.number.saturating_add(1)),
                published_at: office.now,
                effective_at,
                policy_hash: matrix.policy_hash().to_owned(),
                text_hash: charter.text_hash().to_owned(),
                charter_text: charter.charter_toml().to_owned(),
                policy_text: charter.policy_csv().to_owned(),
                published_by: office.professional().cloned(),
            };
            let written = row_ref("charter", id.as_str(), row.number);
            Ok(Change::new(id.as_str()).step(written, move |tx, _| tx.charter_insert(&row)))
        })?;
        Ok((created, effective.get()))
    }
}
