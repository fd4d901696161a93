//! What an audit record says before it is numbered and hashed (SECURITY §1). No content, no name, no search text
//! can be expressed here.

use std::collections::BTreeSet;

use super::cell::{Reason, TableFacts};
use super::vocabulary::{Category, Function, Profession, Purpose, Secrecy, code_enum};
use crate::ids::{AssignmentId, OrganisationId, PathwayId, ProfessionalId, RequestId, SessionId};

code_enum! {
    /// What was done. Few and uniform; the resource says to what.
    Action, "action" {
        Read = "read", "Consultation";
        List = "list", "Liste";
        Search = "search", "Recherche";
        Preview = "preview", "Vérification avant partage";
        Print = "print", "Impression";
        Export = "export", "Export";
        Create = "create", "Création";
        Update = "update", "Modification";
        Share = "share", "Partage";
        End = "end", "Fin";
        Invite = "invite", "Invitation";
        Accept = "accept", "Acceptation";
        Decline = "decline", "Refus d'une invitation ou d'une demande";
        Confirm = "confirm", "Confirmation par une seconde personne";
        Sign = "sign", "Signature recueillie";
        Refuse = "refuse", "Refus recueilli";
        Withdraw = "withdraw", "Retrait recueilli";
        Oppose = "oppose", "Opposition recueillie";
        Publish = "publish", "Publication";
        SignIn = "sign_in", "Connexion";
        SignOut = "sign_out", "Déconnexion";
        Maintain = "maintain", "Entretien du service";
        Erase = "erase", "Effacement au terme de la durée de conservation";
        Attest = "attest", "Attestation par un témoin";
        AcceptGap = "accept_gap", "Perte du journal, déclarée à deux";
        Prune = "prune", "Élagage du journal";
    }
}

impl Action {
    /// Whether an act of this kind can put content before the eyes of who acts. Whether it did, the record says: its
    /// categories, its decision and the rows that it returned.
    #[must_use]
    pub const fn shows_content(self) -> bool {
        match self {
            Self::Read | Self::List | Self::Search | Self::Print | Self::Export => true,
            Self::Preview
            | Self::Create
            | Self::Update
            | Self::Share
            | Self::End
            | Self::Invite
            | Self::Accept
            | Self::Decline
            | Self::Confirm
            | Self::Sign
            | Self::Refuse
            | Self::Withdraw
            | Self::Oppose
            | Self::Publish
            | Self::SignIn
            | Self::SignOut
            | Self::Maintain
            | Self::Erase
            | Self::Attest
            | Self::AcceptGap
            | Self::Prune => false,
        }
    }

    /// Whether an act of this kind goes through several things at once.
    #[must_use]
    pub const fn lists(self) -> bool {
        matches!(self, Self::List | Self::Search)
    }

    /// Whether an act of this kind on such a thing can be an opening. A list of names is none; a list of items is
    /// (ADR 0008).
    #[must_use]
    pub const fn opens(self, resource: ResourceKind) -> bool {
        self.shows_content() && !(self.lists() && resource.listed_by_name())
    }
}

code_enum! {
    /// To what it was done.
    ResourceKind, "resource" {
        Pathway = "pathway", "Parcours";
        Identity = "identity", "Identité";
        Circle = "circle", "Cercle";
        Chronology = "chronology", "Chronologie";
        Participation = "participation", "Participation";
        Preference = "preference", "Choix du référent";
        Holder = "authority_holder", "Titulaire de l'autorité parentale";
        Impossibility = "impossibility", "Impossibilité de joindre un titulaire";
        Item = "item", "Élément d'information";
        Note = "note", "Note personnelle";
        ActionItem = "action", "Action";
        Accord = "accord", "Accord";
        Release = "release", "Validation par la famille";
        Share = "share", "Partage";
        Statute = "statute", "Partage prévu par la loi";
        Handover = "handover", "Passage de relais";
        Succession = "succession", "Remplacement";
        OralNote = "oral_note", "Parole donnée";
        Transmission = "transmission", "Mention d'une transmission";
        Consultations = "consultations", "Qui a consulté";
        Deferral = "deferral", "Ligne reportée";
        Account = "account", "Compte";
        Session = "session", "Session";
        Organisation = "organisation", "Structure";
        Professional = "professional", "Professionnel";
        Assignment = "assignment", "Affectation";
        Charter = "charter", "Charte";
        AuditLog = "audit_log", "Journal des accès";
        Checkpoint = "checkpoint", "Point de contrôle";
        Instance = "instance", "Instance";
        KeptForm = "kept_form", "Texte non envoyé";
        Request = "request", "Demande";
        Emergency = "emergency", "Accès en urgence";
        AccessReview = "access_review", "Examen d'un accès";
        LogExport = "log_export", "Export du journal";
        MonthlyReport = "monthly_report", "Rapport mensuel du journal";
        Reidentification = "reidentification", "Demande d'identité";
        Pruning = "pruning", "Demande d'élagage du journal";
    }
}

impl ResourceKind {
    /// Whether a list of these shows the name of the young person and no more. What any other list showed, the categories
    /// of its record say.
    #[must_use]
    pub const fn listed_by_name(self) -> bool {
        matches!(self, Self::Pathway | Self::Participation)
    }
}

code_enum! {
    /// How it ended.
    Verdict, "decision" {
        Permit = "permit", "Autorisé";
        Deny = "deny", "Refusé";
        Failed = "failed", "Échoué";
    }
}

code_enum! {
    /// Which accesses an auditor looks at one by one (S4).
    ReviewKind, "kind of review" {
        Emergency = "emergency", "Accès en urgence";
        Statute = "statute", "Accès prévus par la loi";
        OutOfHours = "out_of_hours", "Accès hors horaires";
    }
}

code_enum! {
    /// In which form records leave, for programs that are not ours.
    ExportFormat, "form of an export" {
        Csv = "csv", "Tableau (CSV)";
        Jsonl = "jsonl", "JSON Lines";
        Fhir = "fhir", "FHIR R4 AuditEvent (NDJSON)";
        Ocsf = "ocsf", "OCSF (NDJSON)";
    }
}

code_enum! {
    /// What an auditor finds on looking at one access.
    ReviewOutcome, "outcome of a review of an access" {
        Regular = "regular", "Rien à signaler";
        Irregular = "irregular", "Irrégulier, signalé";
        ToFollowUp = "to_follow_up", "Suites à donner";
    }
}

code_enum! {
    /// How long the body of a record is kept (LAW §6).
    RetentionClass, "retention class" {
        Technical = "technical", "Technique (12 mois)";
        Disclosure = "disclosure", "Consultation et accords (vie du parcours, puis archive)";
    }
}

/// Who acts, as the record keeps it before pseudonyms are made.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ActorStamp {
    pub professional: ProfessionalId,
    pub assignment: Option<AssignmentId>,
    pub organisation: Option<OrganisationId>,
    pub profession: Option<Profession>,
    pub function: Option<Function>,
    pub secrecy: Option<Secrecy>,
    pub session: Option<SessionId>,
}

/// One distinct decision inside a request, with the number of objects that it concerned: what a replay needs.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct TrailEntry {
    /// Present where gates 5 to 7 were judged on facts.
    pub facts: Option<TableFacts>,
    pub permitted: bool,
    pub reason: Reason,
    /// Every failing gate's reason, in gate order; empty on a permit.
    pub failing: Vec<Reason>,
    pub objects: u32,
}

/// A row that a request returned or wrote: kind, id, version. Hashed into the record, kept in its sealed detail.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct RowRef {
    pub table: &'static str,
    pub id: String,
    pub version: i64,
}

/// All that a record will say, but its index, time, blinder and pseudonyms.
#[derive(Clone, Debug)]
pub struct RecordDraft {
    pub request: RequestId,
    pub retention: RetentionClass,
    pub actor: Option<ActorStamp>,
    pub action: Action,
    pub resource: ResourceKind,
    pub pathway: Option<PathwayId>,
    pub categories: BTreeSet<Category>,
    pub purpose: Option<Purpose>,
    /// Hex `policy_hash` of every charter version under which the decision was taken (two during a transition).
    pub policy_hashes: Vec<String>,
    /// Ids of the charter clauses that decided (the explanation id of the cell).
    pub clauses: Vec<String>,
    /// The consent or share on which a permit rests: kind, id and version, e.g. `share:<id>:3`.
    pub basis: Vec<String>,
    pub verdict: Verdict,
    pub reasons: Vec<Reason>,
    pub trail: Vec<TrailEntry>,
    /// Codes of what the permit obliges to (`print_return_or_destroy`, …).
    pub obligations: Vec<&'static str>,
    pub returned: Vec<RowRef>,
    pub written: Vec<RowRef>,
    /// Digest over the new ciphertext rows, in the order written; `None` for a read.
    pub write_digest: Option<[u8; 32]>,
    /// Why, in the words of the person who acted; goes into the sealed detail only.
    pub motive: Option<String>,
    /// How many requests a counting leaf stands for (anonymous requests, refused sign-ins).
    pub count: Option<u32>,
}

impl RecordDraft {
    /// A draft with nothing but its kind; the caller fills the rest.
    #[must_use]
    pub const fn new(
        request: RequestId,
        retention: RetentionClass,
        action: Action,
        resource: ResourceKind,
        verdict: Verdict,
    ) -> Self {
        Self {
            request,
            retention,
            actor: None,
            action,
            resource,
            pathway: None,
            categories: BTreeSet::new(),
            purpose: None,
            policy_hashes: Vec::new(),
            clauses: Vec::new(),
            basis: Vec::new(),
            verdict,
            reasons: Vec::new(),
            trail: Vec::new(),
            obligations: Vec::new(),
            returned: Vec::new(),
            written: Vec::new(),
            write_digest: None,
            motive: None,
            count: None,
        }
    }
}
