//! What accords, releases and withdrawals share: names of recipients, what the charter asks for them, the words that
//! a notice may show, and rules of consent in French.
//!
//! INVARIANT: nothing here looks at words. What the charter asks is used to tell people who must sign; decisions ask
//! the gate.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};
use utoipa::openapi::RefOr;
use utoipa::openapi::schema::{ObjectBuilder, Schema, SchemaType, Type};

use super::flow::Scene;
use super::notices::{Frame, FrameLine, NamedPerson, spoken};
use super::{App, ServiceError};
use crate::access::facts::{ItemFacts, VersionFacts};
use crate::access::{ItemGrant, Resource, Standing, purposes_open_to};
use crate::audit::Sealed;
use crate::domain::accord::{AccordError, Line, LineKind, RecipientKey, Signatory};
use crate::domain::cell::{Need, Reason};
use crate::domain::person::PersonFacts;
use crate::domain::release::ReleaseError;
use crate::domain::vocabulary::{Category, Profession, Purpose, Secrecy};
use crate::ids::{AssignmentId, HolderId, ItemVersionId, MissionId, OrganisationId, PathwayId};
use crate::store::fact::FactKind;
use crate::store::organisation::Organisation;

/// A recipient as a request names it: always all three.
#[derive(Clone, Debug, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct RecipientInput {
    pub organisation: OrganisationId,
    pub profession: Profession,
    pub mission: MissionId,
}

impl RecipientInput {
    #[must_use]
    pub fn key(&self) -> RecipientKey {
        RecipientKey {
            organisation: self.organisation.clone(),
            profession: self.profession,
            mission: self.mission.clone(),
        }
    }
}

/// A recipient as people read it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, utoipa::ToSchema)]
pub struct RecipientView {
    #[schema(value_type = String)]
    pub organisation: OrganisationId,
    pub organisation_name: String,
    pub profession: Profession,
    #[schema(value_type = String)]
    pub mission: MissionId,
    pub mission_title: String,
}

/// Who says something: `young_person`, `parent` (which one is not known to who records it), or a holder's id.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Said {
    YoungPerson,
    Parent,
    Holder(HolderId),
}

impl<'de> Deserialize<'de> for Said {
    fn deserialize<D: serde::Deserializer<'de>>(d: D) -> Result<Self, D::Error> {
        Self::parse(&String::deserialize(d)?).map_err(serde::de::Error::custom)
    }
}

impl utoipa::PartialSchema for Said {
    fn schema() -> RefOr<Schema> {
        let object = ObjectBuilder::new()
            .schema_type(SchemaType::Type(Type::String))
            .max_length(Some(26))
            .pattern(Some("^(young_person|parent|[a-kmnp-z2-9]{26})$"))
            .description(Some(
                "`young_person`, `parent` (which one is not known to who records it), or a holder's id",
            ))
            .build();
        RefOr::T(Schema::Object(object))
    }
}

impl utoipa::ToSchema for Said {}

impl Said {
    /// From its code.
    ///
    /// # Errors
    /// What is neither a code nor an id.
    pub fn parse(text: &str) -> Result<Self, crate::ids::InvalidId> {
        match text {
            "young_person" => Ok(Self::YoungPerson),
            "parent" => Ok(Self::Parent),
            id => HolderId::parse(id).map(Self::Holder),
        }
    }

    /// The one person who says it, where one is needed.
    ///
    /// # Errors
    /// A rule: a sheet is signed by somebody, not by « un parent ».
    pub fn signatory(&self) -> Result<Signatory, ServiceError> {
        match self {
            Self::YoungPerson => Ok(Signatory::YoungPerson),
            Self::Holder(id) => Ok(Signatory::Holder(id.clone())),
            Self::Parent => Err(ServiceError::rule(
                "signatory_not_named",
                "Dites quel titulaire : sur une feuille, c'est une personne qui signe ou qui dit non.",
            )),
        }
    }
}

/// The structures, to name recipients.
pub struct Directory(Vec<Organisation>);

impl Directory {
    /// Reads the directory in the scene's snapshot.
    ///
    /// # Errors
    /// The database's.
    pub fn read(scene: &mut Scene<'_>) -> Result<Self, ServiceError> {
        Ok(Self(scene.snapshot.organisations()?))
    }

    #[must_use]
    pub fn organisation(&self, id: &OrganisationId) -> Option<&Organisation> {
        self.0.iter().find(|o| o.id == *id)
    }

    /// Name and title; `None` when there is no such mission there.
    #[must_use]
    pub fn find(&self, key: &RecipientKey) -> Option<RecipientView> {
        let organisation = self.organisation(&key.organisation)?;
        organisation.words.missions.iter().find(|m| m.id == key.mission)?;
        Some(recipient_view(organisation, key.profession, key.mission.clone()))
    }

    /// As [`Directory::find`]; a mission that is no longer listed keeps its place without a title.
    #[must_use]
    pub fn view(&self, key: &RecipientKey) -> RecipientView {
        match self.organisation(&key.organisation) {
            Some(organisation) => recipient_view(organisation, key.profession, key.mission.clone()),
            None => RecipientView {
                organisation: key.organisation.clone(),
                organisation_name: String::new(),
                profession: key.profession,
                mission: key.mission.clone(),
                mission_title: String::new(),
            },
        }
    }
}

/// A service of an organisation; a mission that is no longer listed has no title.
#[must_use]
pub fn recipient_view(
    organisation: &Organisation,
    profession: Profession,
    mission: MissionId,
) -> RecipientView {
    let title = organisation.words.missions.iter().find(|m| m.id == mission).map(|m| m.title.clone());
    RecipientView {
        organisation: organisation.id.clone(),
        organisation_name: organisation.words.name.clone(),
        profession,
        mission,
        mission_title: title.unwrap_or_default(),
    }
}

/// The charter under which the actor acts.
///
/// # Errors
/// Refused when there is none (gate 1).
pub fn standing(scene: &Scene<'_>) -> Result<Standing, ServiceError> {
    scene
        .gate
        .book()
        .standing(scene.gate.actor().assignment(), scene.now)
        .map_err(|_| ServiceError::AbsentOrRefused)
}

/// The rows of the matrix that a recipient may stand in: those of who serves there today, else every row there is.
///
/// # Errors
/// The database's.
pub fn rows_of(
    scene: &mut Scene<'_>,
    standing: &Standing,
    key: &RecipientKey,
) -> Result<BTreeSet<Secrecy>, ServiceError> {
    let now = scene.now;
    let serving: BTreeSet<Secrecy> = scene
        .snapshot
        .assignments_in(&key.organisation)?
        .into_iter()
        .map(|row| row.facts)
        .filter(|a| a.profession == key.profession && a.mission == key.mission && a.in_force(now))
        .map(|a| a.secrecy_at(now).receiving())
        .collect();
    if !serving.is_empty() {
        return Ok(serving);
    }
    Ok([Secrecy::Bound, Secrecy::NotBound]
        .into_iter()
        .filter(|s| standing.matrix.row_exists(key.profession, *s))
        .collect())
}

/// What the charter asks for one subject: the most among the rows that may ever receive it.
#[must_use]
pub fn need_of(
    standing: &Standing,
    rows: &BTreeSet<Secrecy>,
    profession: Profession,
    category: Category,
) -> Need {
    rows.iter()
        .map(|s| standing.matrix.cell(profession, *s, category).need())
        .filter(|n| *n != Need::Never)
        .max()
        .unwrap_or(Need::Never)
}

/// A recipient that an accord, a release or a naming of services may speak of.
///
/// # Errors
/// A rule, when there is no such place or nothing could ever be received there.
pub fn check_recipient(
    scene: &mut Scene<'_>,
    directory: &Directory,
    standing: &Standing,
    key: &RecipientKey,
) -> Result<BTreeSet<Secrecy>, ServiceError> {
    if directory.find(key).is_none() {
        return Err(ServiceError::rule(
            "unknown_recipient",
            "Cette mission n'existe pas dans cette structure : choisissez-la dans l'annuaire.",
        ));
    }
    let rows = rows_of(scene, standing, key)?;
    if rows.iter().all(|s| standing.matrix.all_never(key.profession, *s)) {
        return Err(ServiceError::denied(
            Reason::CeilingNever,
            "recipient_never_receives",
            "La charte ne permet pas à cette profession de recevoir quoi que ce soit : retirez cette ligne.",
        ));
    }
    Ok(rows)
}

/// The grant to show these words to the family: only somebody who may read them shows them (DESIGN §3).
///
/// # Errors
/// Refused; a rule when these are not the current words.
pub fn may_show<'a>(
    scene: &mut Scene<'a>,
    version: &ItemVersionId,
) -> Result<(&'a ItemFacts, &'a VersionFacts, ItemGrant), ServiceError> {
    let facts = scene.gate.facts();
    let (item, found) = facts.version(version).ok_or(ServiceError::AbsentOrRefused)?;
    let doors = scene.gate.participation().map(|p| purposes_open_to(facts, p, found)).unwrap_or_default();
    let mut grant = scene.gate.item(item, found, None);
    for purpose in doors {
        if grant.is_ok() {
            break;
        }
        grant = scene.gate.item(item, found, Some(purpose));
    }
    let grant = grant?;
    if item.current().is_none_or(|c| c.id != found.id) {
        return Err(ServiceError::rule(
            "version_superseded",
            "Ces mots ont été corrigés depuis : montrez la version actuelle.",
        ));
    }
    Ok((item, found, grant))
}

/// The young person's row, sealed, where the actor may know the name; a blank is left on the sheet otherwise.
///
/// # Errors
/// The database's.
pub fn named_person(scene: &mut Scene<'_>) -> Result<Sealed<Option<NamedPerson>>, ServiceError> {
    let pathway = scene.gate.facts().id.clone();
    let Ok(grant) = scene.gate.resource(Resource::Identity) else {
        return Ok(scene.seal_facts(None));
    };
    let row = scene
        .snapshot
        .facts_of::<PersonFacts>(scene.key, &pathway, FactKind::Person)?
        .pop()
        .ok_or_else(|| ServiceError::Internal("a pathway without its person".to_owned()))?;
    Ok(scene.snapshot.fact_words(grant, FactKind::Person, &row.id)?)
}

/// What a notice says beside the words.
///
/// # Errors
/// The database's.
#[expect(clippy::too_many_arguments, reason = "the parts of one sheet, each of its own type")]
pub fn frame(
    scene: &mut Scene<'_>,
    directory: &Directory,
    standing: &Standing,
    purpose: Purpose,
    starts: chrono::NaiveDate,
    ends: Option<chrono::NaiveDate>,
    lines: &[Line],
    shown: &[(ItemVersionId, Category)],
    interpreted: bool,
) -> Result<Frame, ServiceError> {
    let mut framed = Vec::with_capacity(lines.len());
    for line in lines {
        let rows = rows_of(scene, standing, &line.recipient)?;
        let view = directory.view(&line.recipient);
        let person = match &line.only_assignment {
            Some(only) => format!("{}, cette personne seulement — ", named(scene, only)?),
            None => String::new(),
        };
        let carried = |c: &Category| standing.matrix.purpose_carries(purpose, *c);
        let opening = Category::ALL
            .iter()
            .copied()
            .filter(|c| carried(c) && !line.categories.contains(c))
            // Any row: the family reads everything that somebody in this place could read.
            .filter(|c| {
                rows.iter()
                    .any(|s| standing.matrix.cell(line.recipient.profession, *s, *c).need() == Need::Opening)
            })
            .collect();
        framed.push(FrameLine {
            kind: line.kind,
            who: format!("{person}{}, {}", view.mission_title, view.organisation_name),
            profession: line.recipient.profession.french(),
            opening,
            named: line.categories.iter().copied().collect(),
            shown: shown
                .iter()
                .enumerate()
                .filter(|(_, (v, _))| line.shown.iter().any(|s| s.version == *v))
                .map(|(at, _)| at)
                .collect(),
            accountable_to: line.recipient.profession.accountable_to(),
            bound: rows.iter().all(|s| *s == Secrecy::Bound),
            services: line
                .services
                .iter()
                .map(|s| {
                    let view = directory.view(s);
                    format!("{}, {}", view.mission_title, view.organisation_name)
                })
                .collect(),
        });
    }
    let actor = scene.gate.actor().assignment();
    let person = scene
        .snapshot
        .professional_fetch(&actor.professional)?
        .ok_or_else(|| ServiceError::Internal("an actor without a professional".to_owned()))?;
    let own_organisation =
        directory.organisation(&actor.organisation).map(|o| o.words.name.clone()).unwrap_or_default();
    let sheet = scene
        .gate
        .book()
        .in_force(scene.now)
        .map(|e| e.charter.sheet().clone())
        .ok_or(ServiceError::AbsentOrRefused)?;
    Ok(Frame {
        purpose,
        starts,
        ends,
        lines: framed,
        subjects: shown.iter().map(|(_, c)| *c).collect(),
        collector: format!("{}, {own_organisation}", person.words.name),
        telephone: spoken(&person.words.telephone),
        interpreted,
        controller: sheet.controller.clone(),
        protection_officer: sheet.data_protection_officer.clone(),
        sheet,
    })
}

fn named(scene: &mut Scene<'_>, only: &AssignmentId) -> Result<String, ServiceError> {
    let unknown = || {
        ServiceError::rule(
            "unknown_person",
            "Cette personne n'exerce pas cette mission : choisissez-la dans l'annuaire.",
        )
    };
    let row = scene.snapshot.assignment_fetch(only)?.ok_or_else(unknown)?;
    let person = scene.snapshot.professional_fetch(&row.facts.professional)?.ok_or_else(unknown)?;
    Ok(person.words.name)
}

impl App {
    /// The pathway of a fact; for one that is not there, an id that is nobody's, so that absent and refused take the
    /// same way and leave the same record.
    pub(super) fn located(&self, kind: FactKind, id: &str) -> Result<PathwayId, ServiceError> {
        match self.store.snapshot()?.fact_locate(kind, id)? {
            Some(pathway) => Ok(pathway),
            None => Ok(PathwayId::random(self.chance())?),
        }
    }
}

/// A rule of consent that does not hold, in the words of who collects.
#[must_use]
pub fn accord_rule(e: &AccordError) -> ServiceError {
    use crate::domain::day::french_date;
    let (code, message): (&'static str, String) = match e {
        AccordError::NicknameOnly => (
            "nickname_only",
            "Cette personne est connue sous un surnom : pas d'accord avant qu'elle ait donné son identité."
                .to_owned(),
        ),
        AccordError::EmptyPeriod { .. } => {
            ("empty_period", "La fin vient avant le début : corrigez les dates.".to_owned())
        }
        AccordError::TooLong(latest) => (
            "accord_too_long",
            format!("Un accord dure douze mois au plus : finissez-le au plus tard le {}.", french_date(*latest)),
        ),
        AccordError::AbsurdStart(_) => (
            "absurd_start",
            "Choisissez un début entre il y a un mois et dans un an.".to_owned(),
        ),
        AccordError::NoLine => {
            ("no_line", "Nommez au moins un service qui reçoit ou qui apporte.".to_owned())
        }
        AccordError::TooManyLines => ("too_many_lines", "Deux cents lignes au plus : faites deux accords.".to_owned()),
        AccordError::AskedTwice(_) => (
            "asked_twice",
            "La même chose est demandée deux fois pour le même destinataire : gardez une seule case.".to_owned(),
        ),
        AccordError::SignedBeforeSheet { earliest, .. } => (
            "signed_before_sheet",
            format!(
                "Cette feuille n'existait pas encore ce jour-là : la signature date au plus tôt du {}.",
                french_date(*earliest)
            ),
        ),
        AccordError::DuplicateLine(_) => ("duplicate_line", "La même ligne est là deux fois.".to_owned()),
        AccordError::ContributorReceives(_) => (
            "contributor_receives",
            "Un service qui apporte ne reçoit rien : retirez les sujets de sa ligne.".to_owned(),
        ),
        AccordError::PlatformRecipient(_) => {
            ("platform_recipient", "Cette fonction n'a pas de place dans un cercle.".to_owned())
        }
        AccordError::PurposeExcludes { purpose, category } => (
            "purpose_excludes_category",
            format!(
                "« {} » ne sert pas à « {} » : retirez ce sujet ou choisissez un autre but.",
                category.french(),
                purpose.french()
            ),
        ),
        AccordError::CollectedByOnlyRecipient => (
            "collected_by_only_recipient",
            "Vous seriez seul à recevoir : demandez au référent de recueillir cet accord.".to_owned(),
        ),
        AccordError::InterpreterMinor => {
            ("interpreter_minor", "L'interprète est un adulte, jamais l'enfant.".to_owned())
        }
        AccordError::Language(_) => {
            ("language", "Donnez la langue par son code (fr, ar, fr-LSF…).".to_owned())
        }
        AccordError::Notice => ("notice", "La notice n'a pas pu être composée : recommencez.".to_owned()),
        AccordError::NothingSigned => {
            ("boxes_not_ticked", "Cochez les cases que la personne a cochées : aucune ne l'est d'avance.".to_owned())
        }
        AccordError::SignatureDay { .. } => (
            "signature_day",
            "Le jour de la signature est celui d'aujourd'hui ou d'un jour des douze derniers mois.".to_owned(),
        ),
        AccordError::UnknownLine(_) => ("unknown_line", "Cette case n'est pas sur cette feuille.".to_owned()),
        AccordError::CannotSign(_) => (
            "cannot_sign",
            "Cette personne n'est pas enregistrée comme pouvant signer à cette date : vérifiez les titulaires."
                .to_owned(),
        ),
        AccordError::WordsNeedPaper(_) => (
            "words_need_paper",
            "Cette ligne montre des mots exacts : il faut une feuille signée, ni téléphone ni parole.".to_owned(),
        ),
        AccordError::NothingToConfirm => (
            "nothing_to_confirm",
            "Cette personne n'a pas d'accord oral à confirmer : recueillez une signature.".to_owned(),
        ),
        AccordError::TalkByAnother => (
            "talk_by_another",
            "C'est à la personne qui a recueilli l'accord d'en parler avec l'enfant.".to_owned(),
        ),
        AccordError::Over => {
            ("accord_over", "Cet accord est terminé : recueillez-en un nouveau.".to_owned())
        }
    };
    // What law, charter or family do not allow is a refusal; what was typed wrong is not.
    match e {
        AccordError::PurposeExcludes { .. } => {
            ServiceError::denied(Reason::PurposeExcludesCategory, code, message)
        }
        AccordError::ContributorReceives(_) => ServiceError::denied(Reason::ContributorOnly, code, message),
        AccordError::WordsNeedPaper(_) => {
            ServiceError::denied(Reason::InformationMissing, code, message).at("how.mode")
        }
        AccordError::CannotSign(_) => ServiceError::forbidden(code, message).at("by"),
        AccordError::NicknameOnly
        | AccordError::PlatformRecipient(_)
        | AccordError::CollectedByOnlyRecipient
        | AccordError::InterpreterMinor
        | AccordError::TalkByAnother => ServiceError::forbidden(code, message),
        AccordError::NothingSigned | AccordError::UnknownLine(_) => {
            ServiceError::rule(code, message).at("lines")
        }
        AccordError::SignatureDay { .. } | AccordError::SignedBeforeSheet { .. } => {
            ServiceError::rule(code, message).at("on")
        }
        AccordError::EmptyPeriod { .. }
        | AccordError::TooLong(_)
        | AccordError::AbsurdStart(_)
        | AccordError::NoLine
        | AccordError::TooManyLines
        | AccordError::AskedTwice(_)
        | AccordError::DuplicateLine(_)
        | AccordError::Language(_)
        | AccordError::Notice
        | AccordError::NothingToConfirm
        | AccordError::Over => ServiceError::rule(code, message),
    }
}

/// A release that does not hold.
#[must_use]
pub fn release_rule(e: &ReleaseError) -> ServiceError {
    match e {
        ReleaseError::NicknameOnly => accord_rule(&AccordError::NicknameOnly),
        ReleaseError::RecordedByRecipient => ServiceError::forbidden(
            "recorded_by_recipient",
            "La validation est recueillie par quelqu'un d'autre que celui qui lira.",
        ),
        ReleaseError::NotOneVersion => ServiceError::rule(
            "not_one_version",
            "Une validation montre un seul texte, à un seul destinataire qui le lit.",
        ),
        ReleaseError::Event(e) => accord_rule(e),
    }
}

/// The strongest need of the subjects of a line, as who must sign is deduced from it.
#[must_use]
pub fn line_need(standing: &Standing, rows: &BTreeSet<Secrecy>, line: &Line) -> Need {
    match line.kind {
        LineKind::Contributor => Need::Opening,
        LineKind::Recipient => line
            .subjects()
            .map(|c| need_of(standing, rows, line.recipient.profession, c))
            .max()
            .unwrap_or(Need::Opening),
    }
}
