//! « Qui a regardé ? » (S12): the sheet that tells one person who opened information about the young person, on which
//! day, as what, for which purpose and on which subjects.
//!
//! INVARIANTS
//! * One sheet for one person: nothing of the other parent stands on it, neither an address, an opinion, nor a paper that
//!   was read or made on that parent's behalf.
//! * One line per person, day and purpose: profession and structure; a name where that person's structure decided so
//!   before the reading (C-579/21, ADR 0008).
//! * What a second person decided to keep back is missing, counted in the record and said on the sheet; for what
//!   concerns a service whose taking part can be hidden, it is counted in the record alone.
//! * What happened under a statutory exception in force is missing from the sheets of those who are not informed, by
//!   itself.
//! * Making a sheet is a record: for whom as a capacity, which period, how many lines; no name.

use std::collections::{BTreeMap, BTreeSet};

use chrono::NaiveDate;
use serde::Serialize;
use utoipa::ToSchema;

use super::consent::Said;
use super::consultations::named;
use super::openings::{Opened, Opening, Standpoint};
use super::sheet_names::SheetNames;
use super::{Act, App, Call, Scene, ServiceError};
use crate::access::facts::{ParticipationFacts, PathwayFacts};
use crate::access::{Existence, Resource};
use crate::audit::{Checkpoint, Disclosed, Sealed};
use crate::domain::contact::Phone;
use crate::domain::day::{Day, french_date};
use crate::domain::deferral::{SheetFor, SheetMaker};
use crate::domain::vocabulary::{Capacity, Category, Profession, Purpose};
use crate::ids::{AssignmentId, OrganisationId, ParticipationId, PathwayId};

/// For whom, and over which days.
#[derive(Clone, Debug)]
pub struct SheetAsk {
    pub for_whom: Said,
    /// The first day; that on which the pathway was opened when left out.
    pub from: Option<Day>,
    /// The last day; today when left out.
    pub until: Option<Day>,
}

/// One person on one day for one purpose.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
pub struct LookedLine {
    /// The day in Paris.
    #[schema(value_type = String, format = Date)]
    pub on: NaiveDate,
    pub organisation: String,
    pub profession: Profession,
    /// Who it was, where the structure lets sheets say so.
    pub name: Option<String>,
    pub purpose: Option<Purpose>,
    pub categories: Vec<Category>,
}

/// Lines that a second person decided to tell later.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
pub struct KeptBack {
    pub lines: usize,
    /// The first day on which a decision ends or is reviewed.
    #[schema(value_type = String, format = Date)]
    pub review_on: NaiveDate,
}

/// By what the sheet can be held against the log: the last checkpoint that was signed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
pub struct ProofHint {
    pub origin: String,
    pub size: u64,
    /// The root of the log at that size, in hexadecimal.
    pub root_hash: String,
}

/// Whom to ask about the sheet.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
pub struct SheetOffice {
    pub organisation: String,
    pub telephone: String,
}

/// The sheet.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct LookedSheet {
    /// In which capacity it is received; never who.
    pub for_whom: Capacity,
    #[schema(value_type = String, format = Date)]
    pub from: NaiveDate,
    /// The last day.
    #[schema(value_type = String, format = Date)]
    pub until: NaiveDate,
    #[schema(value_type = String, format = Date)]
    pub made_on: NaiveDate,
    /// Latest day first.
    pub items: Vec<LookedLine>,
    pub kept_back: Option<KeptBack>,
    /// Of one service only, which hands out its own sheet.
    pub of_one_service: bool,
    pub office: SheetOffice,
    pub proof: Option<ProofHint>,
}

impl LookedSheet {
    /// That something is missing, until when, and whom to ask. RGPD 12(4): and that one may complain.
    #[must_use]
    pub fn kept_back_told(&self) -> Option<String> {
        let kept = self.kept_back.as_ref()?;
        let (lines, verb) =
            if kept.lines == 1 { ("ligne", "ne figure pas") } else { ("lignes", "ne figurent pas") };
        let number = Phone::parse(&self.office.telephone)
            .map_or_else(|_| self.office.telephone.clone(), |phone| phone.spoken());
        Some(format!(
            "{} {lines} {verb} ici pour le moment : un responsable l'a décidé, et revoit sa décision au plus tard le {}. \
             Vous pouvez demander pourquoi à {}, {number}, et saisir la CNIL (cnil.fr).",
            kept.lines,
            french_date(kept.review_on),
            self.office.organisation,
        ))
    }

    /// By what somebody who keeps the sheet can hold it against the log.
    #[must_use]
    pub fn proof_told(&self) -> Option<String> {
        let proof = self.proof.as_ref()?;
        let short: String = proof.root_hash.chars().take(16).collect();
        Some(format!(
            "Pour vérifier : journal {}, point de contrôle {}, empreinte {short}…",
            proof.origin, proof.size
        ))
    }

    /// What stands below the lines.
    #[must_use]
    pub fn notes(&self) -> Vec<String> {
        let made = format!(
            "Du {} au {}, feuille faite le {}.",
            french_date(self.from),
            french_date(self.until),
            french_date(self.made_on)
        );
        [Some(made), self.kept_back_told(), self.proof_told()].into_iter().flatten().collect()
    }
}

/// Those for whom a sheet may be made, as codes: `young_person`, or a holder's id.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SheetReaders(pub Vec<String>);

type Key = (std::cmp::Reverse<NaiveDate>, OrganisationId, Profession, AssignmentId, Option<Purpose>);

/// What one sheet leaves out, and why.
#[derive(Default)]
struct LeftOut {
    /// Lines kept back by a decision.
    kept_back: BTreeSet<Key>,
    /// Among them, those that the sheet speaks of, with the day of the first review.
    told: BTreeSet<Key>,
    review_on: Option<NaiveDate>,
    /// Lines kept back by a statutory exception.
    by_law: BTreeSet<Key>,
    /// The decisions that keep something back here.
    deferrals: BTreeSet<String>,
}

fn no_sheet() -> ServiceError {
    ServiceError::forbidden(
        "no_sheet_for_this_person",
        "Aucune feuille n'est faite pour cette personne : la contacter mettrait quelqu'un en danger.",
    )
}

/// Whether the référent may make a sheet for this holder today.
fn may_receive(
    facts: &PathwayFacts,
    holder: &crate::domain::person::HolderFacts,
    today: NaiveDate,
) -> Result<(), ServiceError> {
    // LAW: C. civ. 414. From that day on the sheet is for the young person alone.
    if facts.person.decides_alone_on(today) {
        return Err(ServiceError::forbidden(
            "young_person_alone",
            "Le jeune décide seul depuis sa majorité (ou son émancipation) : la feuille est pour lui seul.",
        ));
    }
    // THREAT: a sheet in the wrong hands says that somebody speaks to services, and to which.
    if !facts.people().may_be_contacted(holder.id(), today) {
        return Err(no_sheet());
    }
    if !holder.can_sign() || !holder.in_period(today) {
        return Err(ServiceError::forbidden(
            "not_a_signatory",
            "Cette feuille est pour le jeune et pour ceux qui exercent l'autorité parentale aujourd'hui.",
        ));
    }
    Ok(())
}

/// For whom the référent's sheet is.
fn receiver(
    facts: &PathwayFacts,
    said: &Said,
    today: NaiveDate,
) -> Result<(SheetFor, Capacity), ServiceError> {
    match said {
        Said::YoungPerson => Ok((SheetFor::YoungPerson, Capacity::YoungPerson)),
        Said::Holder(id) => {
            let holder = facts.people().holder(id).ok_or(ServiceError::AbsentOrRefused)?;
            may_receive(facts, holder, today)?;
            Ok((SheetFor::Holder(id.clone()), holder.capacity()))
        }
        Said::Parent => Err(ServiceError::rule(
            "signatory_not_named",
            "Dites pour quel titulaire : chaque personne a sa feuille, et rien de l'autre n'y figure.",
        )),
    }
}

/// For whom the sheet of a hidden service is. Its manager knows no holder: « un parent », and only where handing it to
/// either is safe.
fn receiver_of_service(
    facts: &PathwayFacts,
    said: &Said,
    today: NaiveDate,
) -> Result<(SheetFor, Capacity), ServiceError> {
    match said {
        Said::YoungPerson => Ok((SheetFor::YoungPerson, Capacity::YoungPerson)),
        Said::Parent => {
            let mut holders = facts.holders.iter().filter(|h| h.holds_authority() && h.in_period(today));
            // THREAT: which parent must not be contacted is not the manager's to know; the answer is one for all reasons.
            let safe =
                holders.clone().next().is_some() && holders.all(|h| may_receive(facts, h, today).is_ok());
            if safe {
                Ok((SheetFor::SomeParent, Capacity::Parent))
            } else {
                Err(ServiceError::forbidden(
                    "ask_the_circle",
                    "Relais ne prépare pas ici de feuille pour un parent : voyez d'abord avec votre collègue qui \
                     est dans le cercle.",
                ))
            }
        }
        Said::Holder(_) => Err(ServiceError::AbsentOrRefused),
    }
}

fn period(
    facts: &PathwayFacts,
    ask: &SheetAsk,
    today: NaiveDate,
) -> Result<(NaiveDate, NaiveDate), ServiceError> {
    let from = ask.from.map_or_else(|| facts.opened_at.paris_day(), Day::date);
    let until = ask.until.map_or(today, Day::date).min(today);
    if until < from {
        return Err(ServiceError::rule("empty_period", "La fin vient avant le début : corrigez les dates."));
    }
    Ok((from, until))
}

/// One sheet in the making.
struct Making<'a> {
    standpoint: Standpoint<'a>,
    maker: SheetMaker,
    sheet: SheetFor,
    capacity: Capacity,
    from: NaiveDate,
    until: NaiveDate,
    today: NaiveDate,
}

impl Making<'_> {
    /// Whether a statutory exception keeps this from the person for whom the sheet is.
    fn by_law(&self, opened: &Opened) -> bool {
        match self.sheet {
            SheetFor::YoungPerson => opened.kept.young_person,
            SheetFor::Holder(_) | SheetFor::SomeParent => opened.kept.parents,
        }
    }

    /// What of an opening belongs on this sheet at all: a service's own sheet tells what it read, and who read what it
    /// wrote or shared.
    fn belongs(&self, opening: &Opening, opened: &Opened) -> bool {
        match self.maker {
            SheetMaker::Referent => true,
            SheetMaker::Service { .. } => self.standpoint.concerns_own_service(opening, opened),
        }
    }

    /// Whether the line concerns somebody whose taking part can be hidden: then nothing is said of what is missing.
    fn concerns_hidden(&self, opening: &Opening, opened: &Opened) -> bool {
        let mut places =
            self.standpoint.facts.participations.iter().filter(|p| p.assignment.id == opening.assignment);
        opened.of_hidden || places.any(|p| p.existence != Existence::Open)
    }

    fn lines(&self, openings: &[Opening]) -> (BTreeMap<Key, BTreeSet<Category>>, LeftOut) {
        let mut lines: BTreeMap<Key, BTreeSet<Category>> = BTreeMap::new();
        let mut out = LeftOut::default();
        let mut silent: BTreeSet<Key> = BTreeSet::new();
        for o in openings.iter().filter(|o| !o.for_family && self.from <= o.on && o.on <= self.until) {
            let key: Key = (
                std::cmp::Reverse(o.on),
                o.organisation.clone(),
                o.profession,
                o.assignment.clone(),
                o.purpose,
            );
            let kept = self.standpoint.facts.deferrals.iter().find_map(|d| {
                let covered = d.keeps_back(
                    &self.maker,
                    &self.sheet,
                    |lines| lines.cover(&o.organisation, o.profession, o.purpose, o.on),
                    self.today,
                );
                covered.map(|review_on| (d.id(), review_on))
            });
            for opened in o.opened.iter().filter(|one| self.belongs(o, one)) {
                if self.by_law(opened) {
                    out.by_law.insert(key.clone());
                } else if let Some((id, review_on)) = kept {
                    out.deferrals.insert(format!("deferral:{}", id.as_str()));
                    out.kept_back.insert(key.clone());
                    if self.concerns_hidden(o, opened) {
                        silent.insert(key.clone());
                    } else {
                        out.told.insert(key.clone());
                        out.review_on = Some(out.review_on.map_or(review_on, |day| day.min(review_on)));
                    }
                } else {
                    lines.entry(key.clone()).or_default().insert(opened.category);
                }
            }
        }
        // One hidden thing on a line makes the whole line one that is not spoken of.
        out.told.retain(|key| !silent.contains(key));
        if out.told.is_empty() {
            out.review_on = None;
        }
        (lines, out)
    }

    fn make(&self, app: &App, scene: &mut Scene<'_>) -> Result<LookedSheet, ServiceError> {
        let openings = self.standpoint.openings(app, scene)?;
        let (lines, out) = self.lines(&openings);
        let organisations = scene.snapshot.organisations()?;
        let office = match &self.maker {
            SheetMaker::Referent => &self.standpoint.facts.lead,
            SheetMaker::Service { organisation, .. } => organisation,
        };
        let office = organisations.iter().find(|o| o.id == *office).map_or_else(
            || Err(ServiceError::Internal("a structure is missing from the directory".to_owned())),
            |o| Ok(SheetOffice { organisation: o.words.name.clone(), telephone: o.words.telephone.clone() }),
        )?;
        scene.cites = vec![
            format!("sheet:{}:{}:{}", self.capacity.code(), self.from, self.until),
            format!("sheet_lines:{}", lines.len()),
            format!("kept_back:{}", out.kept_back.len()),
            format!("kept_by_law:{}", out.by_law.len()),
        ];
        scene.cites.extend(out.deferrals);
        let mut names = SheetNames::new(&organisations);
        let mut items = Vec::with_capacity(lines.len());
        for ((day, id, profession, assignment, purpose), categories) in lines {
            items.push(LookedLine {
                on: day.0,
                name: names.name(scene.snapshot, &id, &assignment, day.0)?,
                organisation: named(&organisations, id).name,
                profession,
                purpose,
                categories: categories.into_iter().collect(),
            });
        }
        let told_by_name = items.iter().filter(|line| line.name.is_some()).count();
        if told_by_name > 0 {
            scene.cites.push(format!("sheet_named:{told_by_name}"));
        }
        Ok(LookedSheet {
            for_whom: self.capacity,
            from: self.from,
            until: self.until,
            made_on: self.today,
            items,
            kept_back: out.review_on.map(|review_on| KeptBack { lines: out.told.len(), review_on }),
            of_one_service: self.maker != SheetMaker::Referent,
            office,
            proof: proof(scene)?,
        })
    }
}

/// The last checkpoint that was kept: what an auditor can hold the sheet against.
fn proof(scene: &mut Scene<'_>) -> Result<Option<ProofHint>, ServiceError> {
    let Some(kept) = scene.snapshot.checkpoint_latest()? else { return Ok(None) };
    let broken = |e: &dyn std::fmt::Display| ServiceError::Internal(format!("a checkpoint: {e}"));
    let signed = crate::audit::SignedCheckpoint::parse(&kept.note).map_err(|e| broken(&e))?;
    let claims: &Checkpoint = signed.claims();
    Ok(Some(ProofHint {
        origin: claims.origin().to_owned(),
        size: claims.size(),
        root_hash: data_encoding::HEXLOWER.encode(claims.root()),
    }))
}

/// The place of a service that its manager asks about.
pub(super) fn place_of<'a>(
    facts: &'a PathwayFacts,
    id: &ParticipationId,
    manager: &crate::access::facts::AssignmentFacts,
) -> Option<&'a ParticipationFacts> {
    facts.participation(id).filter(|p| {
        p.existence != Existence::Open
            && p.accepted_at.is_some()
            && p.assignment.organisation == manager.organisation
            && p.assignment.mission == manager.mission
    })
}

impl App {
    /// Those for whom the référent may make a sheet today.
    ///
    /// # Errors
    /// Refused to anybody but the référent.
    pub fn sheet_readers(
        &self,
        call: &Call,
        act: Act,
        pathway: &PathwayId,
    ) -> Result<Disclosed<SheetReaders>, ServiceError> {
        self.read(call, act, pathway, |scene| {
            let _seen = scene.gate.resource(Resource::Consultations)?;
            let facts = scene.gate.facts();
            let today = scene.now.paris_day();
            let holders = facts.holders.iter().filter(|h| may_receive(facts, h, today).is_ok());
            let codes = std::iter::once("young_person".to_owned())
                .chain(holders.map(|h| h.id().as_str().to_owned()))
                .collect();
            Ok(scene.seal_facts(SheetReaders(codes)))
        })
    }

    /// The référent's sheet for one person.
    ///
    /// # Errors
    /// Refused to anybody but the référent; a rule where no sheet is made for this person.
    pub fn looked_sheet(
        &self,
        call: &Call,
        act: Act,
        pathway: &PathwayId,
        ask: &SheetAsk,
    ) -> Result<Disclosed<LookedSheet>, ServiceError> {
        self.read(call, act, pathway, |scene| {
            let _seen = scene.gate.resource(Resource::Consultations)?;
            let facts = scene.gate.facts();
            let today = scene.now.paris_day();
            let me = scene.gate.participation().ok_or(ServiceError::AbsentOrRefused)?;
            let (sheet, capacity) = receiver(facts, &ask.for_whom, today)?;
            let (from, until) = period(facts, ask, today)?;
            let making = Making {
                standpoint: Standpoint { facts, book: scene.gate.book(), me, now: scene.now },
                maker: SheetMaker::Referent,
                sheet,
                capacity,
                from,
                until,
                today,
            };
            sealed(self, scene, &making)
        })
    }

    /// The sheet of a service whose taking part is hidden, made by its manager: what it opened, and who opened what it
    /// wrote or shared.
    ///
    /// # Errors
    /// Refused to anybody but that manager; a rule where no sheet is made.
    pub fn looked_sheet_of_service(
        &self,
        call: &Call,
        act: Act,
        place: &ParticipationId,
        ask: &SheetAsk,
    ) -> Result<Disclosed<LookedSheet>, ServiceError> {
        let pathway = self.pathway_of_participation(place)?;
        self.read(call, act, &pathway, |scene| {
            let _seen = scene.gate.resource(Resource::ServiceConsultations)?;
            let facts = scene.gate.facts();
            let today = scene.now.paris_day();
            let me = place_of(facts, place, scene.gate.actor().assignment())
                .ok_or(ServiceError::AbsentOrRefused)?;
            let (sheet, capacity) = receiver_of_service(facts, &ask.for_whom, today)?;
            let (from, until) = period(facts, ask, today)?;
            let making = Making {
                standpoint: Standpoint { facts, book: scene.gate.book(), me, now: scene.now },
                maker: SheetMaker::Service {
                    organisation: me.assignment.organisation.clone(),
                    mission: me.assignment.mission.clone(),
                },
                sheet,
                capacity,
                from,
                until,
                today,
            };
            sealed(self, scene, &making)
        })
    }
}

fn sealed(
    app: &App,
    scene: &mut Scene<'_>,
    making: &Making<'_>,
) -> Result<Sealed<LookedSheet>, ServiceError> {
    let view = making.make(app, scene)?;
    Ok(scene.seal_facts(view))
}

#[cfg(test)]
mod tests;
