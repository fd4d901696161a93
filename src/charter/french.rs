//! What the charter room says to people: the one catalogue of its French words. No decision is taken here.

use crate::domain::cell::{Cell, Need};
use crate::domain::vocabulary::{Category, Profession, Secrecy};

/// The category as the object of a sentence (« ne lira plus le logement »).
#[must_use]
pub const fn category(category: Category) -> &'static str {
    match category {
        Category::Identity => "l'identité et le contact",
        Category::Schooling => "la scolarité",
        Category::Family => "la situation familiale",
        Category::Housing => "le logement",
        Category::HealthMinimal => "le strict nécessaire de santé",
        Category::HealthDetailed => "les informations médicales",
        Category::Judicial => "la mesure éducative ou judiciaire",
        Category::Leisure => "les loisirs, la culture et le sport",
        Category::Mobility => "la mobilité",
        Category::Integration => "l'insertion et la formation",
        Category::Affective => "l'environnement affectif",
        Category::Evaluation => "la synthèse relue avec la famille",
        Category::Practical => "les besoins pratiques",
    }
}

const fn profession(profession: Profession) -> &'static str {
    match profession {
        Profession::ReferentPre => "le référent de parcours",
        Profession::SpecialisedPrevention => "l'éducateur de prévention spécialisée",
        Profession::Aemo => "l'éducateur AEMO ou AED",
        Profession::SchoolSocialWorker => "l'assistant de service social en faveur des élèves",
        Profession::ChildWelfare => "l'aide sociale à l'enfance",
        Profession::DistrictSocialWorker => "le service social de secteur ou du CCAS",
        Profession::SchoolHealth => "l'infirmier ou le médecin de l'Éducation nationale",
        Profession::Psychologist => "le psychologue (CMP)",
        Profession::YouthJustice => "la protection judiciaire de la jeunesse",
        Profession::Teacher => "l'enseignant, le CPE ou la direction d'établissement",
        Profession::SocialEducationalWorker => "l'animateur socio-éducatif",
        Profession::MissionLocale => "la mission locale",
        Profession::StayOrganiser => "la direction ou l'animation du séjour",
        Profession::SocialMediator => "le médiateur social",
        Profession::ConcernUnit => "la CRIP",
        Profession::ElectedOfficial => "l'élu",
        Profession::Police => "la police ou la gendarmerie",
        Profession::Landlord => "le bailleur",
        Profession::TransportOperator => "le transporteur",
        Profession::Facilitator => "le facilitateur du réseau",
        Profession::Administrator => "l'administrateur de la plateforme",
        Profession::Auditor => "l'auditeur des accès",
        Profession::DataProtectionOfficer => "le délégué à la protection des données",
    }
}

/// The recipient as the subject of a sentence; the secrecy is said where a profession can have either.
#[must_use]
pub fn recipient(who: Profession, secrecy: Secrecy, has_both_rows: bool) -> String {
    let name = profession(who);
    match (has_both_rows, secrecy.receiving()) {
        (false, _) => name.to_owned(),
        (true, Secrecy::Bound) => format!("{name}, quand il est tenu au secret,"),
        (true, Secrecy::Contested | Secrecy::NotBound) => {
            format!("{name}, quand il n'est pas tenu au secret,")
        }
    }
}

/// The accord that a cell asks for (« il faudra … »).
#[must_use]
pub const fn accord(need: Need) -> &'static str {
    match need {
        Need::Opening => "un accord général",
        Need::Category => "un accord qui nomme le sujet",
        Need::Informed => "un accord sur le texte exact",
        Need::Never => "aucun accord : jamais",
    }
}

/// The heading under which a cell is listed for readers.
#[must_use]
pub const fn heading(need: Need) -> &'static str {
    match need {
        Need::Opening => "Avec l'accord général de la famille",
        Need::Category => "Avec un accord qui nomme le sujet",
        Need::Informed => "Avec un accord sur le texte exact, montré avant",
        Need::Never => "Jamais, même avec l'accord de la famille",
    }
}

/// A cell in words.
#[must_use]
pub fn cell(cell: Cell) -> String {
    let words = accord(cell.need());
    if cell.statute_open() { format!("{words}, ou le partage prévu par la loi") } else { words.to_owned() }
}
