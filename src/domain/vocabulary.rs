//! Closed lists: the codes used in files, storage and the API, and the French words people read
//! (`policies/vocabulary.toml` is the source; `charter` checks at start that both agree).

/// A word that is in none of our lists.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
#[error("`{word}` is not a known {list}")]
pub struct UnknownWord {
    pub list: &'static str,
    pub word: String,
}

/// A closed list with stable codes and French words; parsing has no default.
macro_rules! code_enum {
    ($(#[$doc:meta])* $name:ident, $list:literal { $($(#[$vdoc:meta])* $variant:ident = $code:tt, $french:literal;)* }) => {
        $(#[$doc])*
        #[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, serde::Serialize, serde::Deserialize, utoipa::ToSchema)]
        pub enum $name { $($(#[$vdoc])* #[serde(rename = $code)] $variant,)* }

        impl $name {
            pub const ALL: &'static [Self] = &[$(Self::$variant,)*];

            /// Position in `ALL`: dense tables are indexed by it.
            #[must_use]
            #[expect(clippy::as_conversions, reason = "a fieldless enum has no other conversion to its position")]
            pub const fn index(self) -> usize {
                self as usize
            }

            /// The stable code: files, storage, API.
            #[must_use]
            pub const fn code(self) -> &'static str {
                match self { $(Self::$variant => $code,)* }
            }

            /// The words people read.
            #[must_use]
            pub const fn french(self) -> &'static str {
                match self { $(Self::$variant => $french,)* }
            }

            /// Reads a code.
            ///
            /// # Errors
            /// [`UnknownWord`](crate::domain::vocabulary::UnknownWord) for anything that is not in the list; there is no default.
            pub fn parse(code: &str) -> Result<Self, $crate::domain::vocabulary::UnknownWord> {
                match code {
                    $($code => Ok(Self::$variant),)*
                    other => Err($crate::domain::vocabulary::UnknownWord { list: $list, word: other.chars().take(80).collect() }),
                }
            }
        }

        impl std::fmt::Display for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str(self.code())
            }
        }
    };
}

pub(crate) use code_enum;

code_enum! {
    /// The one subject of an item (R01: an item without a category cannot be saved).
    Category, "category" {
        Identity = "identity", "Identité et contact";
        Schooling = "schooling", "Scolarité";
        Family = "family", "Situation familiale";
        Housing = "housing", "Logement";
        HealthMinimal = "health_minimal", "Santé : le strict nécessaire";
        HealthDetailed = "health_detailed", "Santé : informations médicales";
        Judicial = "judicial", "Mesure éducative ou judiciaire";
        Leisure = "leisure", "Loisirs, culture, sport";
        Mobility = "mobility", "Mobilité";
        Integration = "integration", "Insertion et formation";
        Affective = "affective", "Environnement affectif";
        Evaluation = "evaluation", "Synthèse relue avec la famille";
        Practical = "practical", "Besoins pratiques";
    }
}

code_enum! {
    /// What a professional does; with the secrecy of the assignment it selects a row of the ceiling.
    Profession, "profession" {
        ReferentPre = "referent_pre", "Référent de parcours (réussite éducative)";
        SpecialisedPrevention = "specialised_prevention", "Éducateur de prévention spécialisée";
        Aemo = "aemo", "Éducateur AEMO / AED";
        SchoolSocialWorker = "school_social_worker", "Assistant de service social en faveur des élèves";
        ChildWelfare = "child_welfare", "Aide sociale à l'enfance";
        DistrictSocialWorker = "district_social_worker", "Service social de secteur ou du CCAS";
        SchoolHealth = "school_health", "Infirmier ou médecin de l'Éducation nationale";
        Psychologist = "psychologist", "Psychologue, CMP";
        YouthJustice = "youth_justice", "Protection judiciaire de la jeunesse (public et associatif habilité)";
        Teacher = "teacher", "Enseignant, CPE, direction d'établissement";
        SocialEducationalWorker = "social_educational_worker", "Animateur socio-éducatif (centre social, accompagnement à la scolarité)";
        MissionLocale = "mission_locale", "Conseiller de mission locale";
        StayOrganiser = "stay_organiser", "Direction ou animation de séjour";
        SocialMediator = "social_mediator", "Médiateur social";
        ConcernUnit = "concern_unit", "CRIP (cellule de recueil des informations préoccupantes)";
        ElectedOfficial = "elected_official", "Élu";
        Police = "police", "Police, gendarmerie";
        Landlord = "landlord", "Bailleur";
        TransportOperator = "transport_operator", "Transporteur";
        Facilitator = "facilitator", "Facilitateur du réseau";
        Administrator = "administrator", "Administrateur de la plateforme";
        Auditor = "auditor", "Auditeur des accès";
        DataProtectionOfficer = "data_protection_officer", "Délégué à la protection des données";
    }
}

code_enum! {
    /// Why something is shared. One accord serves one purpose.
    Purpose, "purpose" {
        Coordination = "coordination", "Coordonner le parcours";
        Handover = "handover", "Passer le relais";
        Referral = "referral", "Orienter";
        Stay = "stay", "Préparer un séjour";
        Schooling = "schooling", "Soutenir la scolarité";
        Integration = "integration", "Soutenir l'insertion";
        Care = "care", "Organiser des soins";
        Conference = "conference", "Préparer une réunion sur la situation";
        Protection = "protection", "Protéger l'enfant (partage prévu par la loi)";
    }
}

code_enum! {
    /// How much an accord covers. Ordered: an accord satisfies a need that is at most its level.
    Level, "level" {
        Opening = "opening", "Accord général";
        Category = "category", "Accord par sujet";
        Informed = "informed", "Accord sur le texte exact";
    }
}

code_enum! {
    /// Professional secrecy of an assignment (CP 226-13; LAW §3).
    Secrecy, "secrecy" {
        Bound = "bound", "Tenu au secret professionnel";
        Contested = "contested", "Secret discuté (traité avec prudence)";
        NotBound = "not_bound", "Tenu à la discrétion, pas au secret";
    }
}

code_enum! {
    /// What an assignment may do inside its own organisation.
    Function, "function" {
        Practitioner = "practitioner", "Professionnel";
        Manager = "manager", "Responsable (cadre)";
        Secretary = "secretary", "Secrétariat";
    }
}

code_enum! {
    /// The role of a participation in the circle.
    Role, "role" {
        Referent = "referent", "Référent";
        Participant = "participant", "Membre du cercle";
        ContributorOnly = "contributor_only", "Apporte, ne reçoit pas";
        StayOrganiser = "stay_organiser", "Organise un séjour";
    }
}

code_enum! {
    /// The frame of a participation (R06).
    Mandate, "mandate" {
        Contractual = "contractual", "Avec l'accord de la famille";
        Judicial = "judicial", "À la demande d'un juge";
        Collective = "collective", "Action collective";
        Territorial = "territorial", "Présence sur le quartier";
    }
}

code_enum! {
    /// Steps of a pathway, in their order (R03).
    Step, "step" {
        Spotting = "spotting", "Repérage";
        Contact = "contact", "Prise de contact et accord";
        Accompaniment = "accompaniment", "Accompagnement";
        Evaluation = "evaluation", "Évaluation";
        Onward = "onward", "Suite du parcours";
    }
}

code_enum! {
    /// How an accord was given (LAW §5).
    Mode, "mode" {
        Paper = "paper", "Feuille signée";
        OralPresent = "oral_present", "De vive voix, en présence";
        Telephone = "telephone", "Par téléphone";
    }
}

code_enum! {
    /// In which capacity somebody signs or stands beside the young person (LAW §5).
    Capacity, "capacity" {
        YoungPerson = "young_person", "Le jeune";
        Parent = "parent", "Parent, titulaire de l'autorité parentale";
        Guardian = "guardian", "Tuteur";
        Delegate = "delegate", "Délégataire de l'autorité parentale";
        ConfidedService = "confided_service", "Service à qui l'enfant est confié";
        AuthorisedService = "authorised_service", "Service autorisé par le juge (375-7)";
        Relative = "relative", "Proche, entendu sans signer";
    }
}

code_enum! {
    /// Kinds of organisation.
    OrganisationKind, "organisation kind" {
        Town = "town", "Commune";
        Association = "association", "Association";
        School = "school", "Établissement scolaire";
        Department = "department", "Département";
        Health = "health", "Structure de santé";
        State = "state", "Service de l'État";
        Network = "network", "Réseau";
    }
}

code_enum! {
    /// S2, « à partir de 0 » : whether a service that took over had to start again.
    StartedAgain, "rating of a handover" {
        NotAtAll = "not_at_all", "Non : le travail a continué";
        Partly = "partly", "En partie";
        FromScratch = "from_scratch", "Oui : à partir de 0";
    }
}

code_enum! {
    /// Where the statement of an item comes from.
    Source, "source" {
        YoungPerson = "young_person", "dit par le jeune";
        Parent = "parent", "dit par un parent";
        Observed = "observed", "constaté";
        Transmitted = "transmitted", "transmis";
    }
}

code_enum! {
    /// The register under which something is shared: deduced, never chosen (LAW §0.1).
    Regime, "sharing regime" {
        Accord = "accord", "Avec l'accord de la famille";
        L226_2_2 = "l226_2_2", "Partage prévu par la loi (CASF L226-2-2)";
        Emergency = "emergency", "Accès en urgence (CP 223-6)";
    }
}

impl Secrecy {
    /// The row of the ceiling that applies to a recipient: `contested` reads as `not_bound` (LAW §3).
    #[must_use]
    pub const fn receiving(self) -> Self {
        match self {
            Self::Bound => Self::Bound,
            Self::Contested | Self::NotBound => Self::NotBound,
        }
    }

    /// Whether somebody with this status holds a secret when disclosing: `contested` counts as bound.
    #[must_use]
    pub const fn holds_a_secret(self) -> bool {
        match self {
            Self::Bound | Self::Contested => true,
            Self::NotBound => false,
        }
    }
}

/// Words that go between brackets, without brackets of their own: « Référent de parcours, réussite éducative ».
#[must_use]
pub fn within_brackets(words: &str) -> String {
    words.replace(" (", ", ").replace(')', "")
}

impl Profession {
    /// [`Profession::french`], to be written between brackets.
    #[must_use]
    pub fn within_brackets(self) -> String {
        within_brackets(self.french())
    }

    /// Functions of the platform that must not stand together with a place in a circle (DESIGN §3).
    #[must_use]
    pub const fn is_platform(self) -> bool {
        matches!(self, Self::Administrator | Self::Auditor | Self::DataProtectionOfficer)
    }

    /// To whom this service reports upward, in the words of the family's sheet.
    #[must_use]
    pub const fn accountable_to(self) -> Option<&'static str> {
        match self {
            Self::Aemo => Some("au juge des enfants ou au Département"),
            Self::ChildWelfare => Some("au Département, et au juge s'il est saisi"),
            Self::YouthJustice => Some("au juge"),
            Self::ReferentPre
            | Self::SpecialisedPrevention
            | Self::SchoolSocialWorker
            | Self::DistrictSocialWorker
            | Self::SchoolHealth
            | Self::Psychologist
            | Self::Teacher
            | Self::SocialEducationalWorker
            | Self::MissionLocale
            | Self::StayOrganiser
            | Self::SocialMediator
            | Self::ConcernUnit
            | Self::ElectedOfficial
            | Self::Police
            | Self::Landlord
            | Self::TransportOperator
            | Self::Facilitator
            | Self::Administrator
            | Self::Auditor
            | Self::DataProtectionOfficer => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_code_reads_back_and_an_unknown_one_has_no_default() {
        for p in Profession::ALL {
            assert_eq!(Profession::parse(p.code()), Ok(*p));
        }
        for c in Category::ALL {
            assert_eq!(Category::parse(c.code()), Ok(*c));
        }
        assert!(Profession::parse("Teacher").is_err());
        assert!(Secrecy::parse("").is_err());
    }

    #[test]
    fn law_contested_secrecy_receives_as_not_bound_and_discloses_as_bound() {
        assert_eq!(Secrecy::Contested.receiving(), Secrecy::NotBound);
        assert!(Secrecy::Contested.holds_a_secret());
    }
}
