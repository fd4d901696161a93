//! What surrounds every page: who one is, under which affectation, where one may go, and the way out.

use askama::Template;

use super::icon::Icon;
use super::kept::Kept;
use super::{Page, assets, words};
use crate::clock::Timestamp;
use crate::domain::vocabulary::{Function, Mandate, Profession};
use crate::ids::RequestId;
use crate::service::pathways::opens_under;
use crate::service::sessions::CharterToSign;
use crate::service::{AccountState, App, Greeting, ServiceError, Signer};
use crate::web::kept;
use crate::web::problem::Problem;
use crate::web::route::{Fault, Incoming};

/// The part of the building one is in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Room {
    None,
    Today,
    Pathways,
    MayITell,
    Manager,
    Office,
    Charter,
    Audit,
    Emergencies,
    Identities,
    Prunings,
    Administration,
    Account,
    Help,
}

/// A way of the main navigation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Way {
    pub room: Room,
    pub href: &'static str,
    pub label: &'static str,
    pub icon: Icon,
}

/// Who is signed in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Who {
    pub name: String,
    /// « Sauvegarde — éducatrice AEMO », or nothing when no affectation is chosen.
    pub acting: Option<String>,
    /// The id that forms carry.
    pub assignment: String,
    pub several: bool,
    /// The frames under which this affectation may open a pathway.
    pub opens_under: Vec<Mandate>,
    pub ways: Vec<Way>,
    /// « 14 h 05 »
    pub closes_at: String,
    /// Sentences that stand on every page until they are settled, with the way to settle them.
    pub reminders: Vec<(String, &'static str, &'static str)>,
}

/// What every page is given.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Shell {
    pub title: String,
    pub room: Room,
    pub who: Option<Who>,
    /// What was just done, in a sentence.
    pub done: Option<&'static str>,
    /// One key for the forms of this page: pressing twice does once.
    pub once: String,
    pub assets: &'static str,
    pub demonstration: bool,
    /// Texts that wait for their author.
    pub kept: Vec<Kept>,
    /// The kept text that the forms of this page go on with.
    pub resumed: Option<String>,
    /// Whether this page has just given a kept text back.
    pub given_back: bool,
}

/// Sentences of what was just done: the address carries a code of this list, never a text.
const DONE: &[(&str, &str)] = &[
    (
        "deconnexion",
        "Vous êtes déconnecté. Fermez le navigateur si d'autres personnes utilisent cet appareil.",
    ),
    ("enregistre", "C'est enregistré."),
    ("partage", "C'est partagé."),
    ("fin", "C'est terminé."),
    ("signe", "La signature est enregistrée."),
    ("note", "C'est noté."),
    ("invite", "L'invitation est enregistrée."),
    ("accepte", "C'est accepté."),
    ("decline", "C'est décliné."),
    ("ouvert", "Le parcours est ouvert."),
    ("bilan", "Le bilan est enregistré."),
    ("clos", "Le parcours est clos. Il se lit encore, il ne s'écrit plus."),
    ("quitte", "Vous avez quitté le cercle."),
    ("referent", "Le nouveau référent est nommé."),
    ("corrige", "La correction est enregistrée. La version d'avant reste lisible, marquée « corrigé »."),
    ("motdepasse", "Le mot de passe est changé. Vos autres sessions sont fermées."),
    (
        "facteur",
        "Le second facteur est sur le nouveau téléphone. L'ancien ne sert plus, et vos autres sessions sont fermées.",
    ),
    ("session", "Cette session est fermée."),
    ("compte-ouvert", "Votre compte est ouvert. Une ou un collègue doit maintenant vous reconnaître."),
    ("reconnu", "Cette personne est reconnue. Il peut rester : confirmer son affectation, signer la charte."),
    ("confirme", "C'est confirmé : l'affectation prend effet."),
    ("propose", "C'est enregistré. Une seconde personne doit confirmer."),
    ("jete", "Le texte est effacé."),
    (
        "garde",
        "Votre session était finie : rien n'a été envoyé. Votre texte est gardé, connectez-vous pour le reprendre.",
    ),
    (
        "accord",
        "L'accord est prêt. Imprimez la feuille, lisez-la avec la famille, puis enregistrez ce qu'elle a dit.",
    ),
    ("imprime", "L'impression est notée. Si rien n'est sorti : Ctrl + P."),
    ("decide", "Votre décision est enregistrée."),
    ("urgence-finie", "Votre accès en urgence est terminé. Vous ne lisez plus rien par lui."),
    ("examine", "Votre examen est enregistré."),
    (
        "seconde-personne",
        "La demande est faite. Prévenez la seconde personne : Relais n'envoie pas de message.",
    ),
    ("elagage", "C'est confirmé. Le service efface leur contenu dans l'heure."),
    ("relais", "Vous avez confirmé que le relais est passé."),
    ("demande", "La demande est faite. Prévenez votre responsable : Relais n'envoie pas de message."),
    ("passage", "Le passage de relais est proposé. Prévenez le service qui prend le relais."),
    (
        "arrete",
        "Le remplacement est arrêté. Prévenez le service : son responsable peut nommer quelqu'un d'autre.",
    ),
    ("nomme", "La personne est nommée. Elle doit accepter ; prévenez-la."),
];

fn way(room: Room, href: &'static str, label: &'static str, icon: Icon) -> Way {
    Way { room, href, label, icon }
}

/// Where somebody may go, from the affectation alone; what is behind each door is decided behind it.
fn ways(greeting: &Greeting) -> Vec<Way> {
    let Some(acting) = &greeting.acting else {
        return vec![way(Room::Account, "/compte", "Mon compte", Icon::Key)];
    };
    let mut out = Vec::new();
    match acting.profession {
        Profession::Auditor => {
            out.push(way(Room::Audit, "/controle", "Contrôle des accès", Icon::Proof));
            out.push(way(Room::Identities, "/identites", "Demandes d'identité", Icon::Person));
            out.push(way(Room::Prunings, "/conservation", "Conservation", Icon::Archive));
        }
        Profession::DataProtectionOfficer => {
            out.push(way(Room::Today, "/", "Aujourd'hui", Icon::House));
            out.push(way(Room::Emergencies, "/urgences", "Accès en urgence", Icon::Danger));
            out.push(way(Room::Identities, "/identites", "Demandes d'identité", Icon::Person));
            out.push(way(Room::Prunings, "/conservation", "Conservation", Icon::Archive));
        }
        Profession::Administrator => {
            out.push(way(Room::Administration, "/structures", "Structures", Icon::Organisation));
        }
        _ => {
            out.push(way(Room::Today, "/", "Aujourd'hui", Icon::House));
            if acting.function != Function::Secretary {
                out.push(way(Room::Pathways, "/parcours", "Parcours", Icon::Pathway));
                // The direction of a stay has one sheet, and nobody to share with.
                if acting.profession != Profession::StayOrganiser {
                    out.push(way(Room::MayITell, "/puis-je-le-dire", "Puis-je le lui dire ?", Icon::Message));
                }
            }
            if acting.function == Function::Secretary {
                out.push(way(Room::Office, "/secretariat", "Secrétariat", Icon::Pencil));
            }
            if acting.function == Function::Manager {
                out.push(way(Room::Manager, "/responsable", "Responsable", Icon::Scale));
                out.push(way(Room::Administration, "/structures", "Structures", Icon::Organisation));
            }
        }
    }
    out.push(way(Room::Charter, "/charte", "Charte", Icon::Charter));
    out
}

/// The structure has not signed the charter in force: who can.
fn structure_unsigned(function: Function, signers: &[Signer]) -> (String, &'static str, &'static str) {
    let begins = "Votre structure n'a pas encore signé la charte : vous ne lirez rien.";
    if function == Function::Manager {
        let said = format!("{begins} C'est à vous de signer pour elle.");
        return (said, "/charte", "Lire et signer pour la structure");
    }
    let who: Vec<String> =
        signers.iter().map(|s| format!("{} ({})", s.name, words::telephone(&s.telephone))).collect();
    let said = if who.is_empty() {
        format!("{begins} Personne n'y est responsable : demandez à qui administre Relais d'en nommer un.")
    } else {
        format!("{begins} Demandez à {}.", who.join(" ou à "))
    };
    (said, "/charte", "Lire la charte")
}

fn reminders(greeting: &Greeting) -> Vec<(String, &'static str, &'static str)> {
    let mut out = Vec::new();
    match greeting.account {
        AccountState::Confirmed => {}
        AccountState::Invited | AccountState::Unconfirmed | AccountState::Ended => out.push((
            "Votre compte n'est pas encore reconnu. Une ou un collègue, qui ne vous a pas invité, doit le faire depuis sa page « Mon compte ».".to_owned(),
            "/compte",
            "Voir mon compte",
        )),
    }
    if greeting.acting.is_none() && !greeting.assignments.is_empty() {
        out.push((
            "Choisissez l'affectation sous laquelle vous travaillez.".to_owned(),
            "/affectation",
            "Choisir",
        ));
    }
    if let (Some(acting), Some(signers)) = (&greeting.acting, &greeting.structure_unsigned) {
        out.push(structure_unsigned(acting.function, signers));
    }
    if greeting.acting.is_some() {
        out.extend(charter_reminder(greeting));
    }
    out
}

/// The version to sign first: the one in force, without which nothing is read; else the one announced, without which
/// nothing will be read from its day on.
fn charter_reminder(greeting: &Greeting) -> Option<(String, &'static str, &'static str)> {
    let from = |e: &CharterToSign| Timestamp::parse_rfc3339(&e.effective_at);
    let (ahead, in_force): (Vec<_>, Vec<_>) =
        greeting.charters_to_sign.iter().partition(|e| from(e).is_some_and(|at| at > greeting.now));
    match (in_force.first(), ahead.first()) {
        (Some(_), _) => Some((
            "La charte attend votre signature. Sans elle, vous ne lisez rien.".to_owned(),
            "/charte",
            "Lire et signer",
        )),
        (None, Some(next)) => Some((
            format!(
                "Une nouvelle version de la charte attend votre signature. À partir du {}, sans votre signature, vous ne \
                 lirez plus rien.",
                words::day_of(&next.effective_at)
            ),
            "/charte/annoncee",
            "Lire et signer",
        )),
        (None, None) => None,
    }
}

impl Who {
    fn of(greeting: &Greeting) -> Self {
        Self {
            name: greeting.name.clone(),
            acting: greeting
                .acting
                .as_ref()
                .map(|a| format!("{} · {}", a.organisation_name, a.profession.french())),
            assignment: greeting.acting.as_ref().map_or_else(String::new, |a| a.id.as_str().to_owned()),
            several: greeting.assignments.len() > 1,
            opens_under: greeting
                .acting
                .as_ref()
                .map_or_else(Vec::new, |a| opens_under(a.profession, a.function).collect()),
            ways: ways(greeting),
            closes_at: words::clock_time(greeting.ends_at),
            reminders: reminders(greeting),
        }
    }
}

impl Shell {
    /// Around a page behind a session. Call it after the page's own reads.
    ///
    /// # Errors
    /// Without a session, or as the database.
    pub fn signed_in(
        app: &App,
        incoming: &Incoming,
        room: Room,
        title: impl Into<String>,
    ) -> Result<Self, Fault> {
        let greeting = app.greeting(incoming.call()?)?;
        let mut shell = Self::open(app, incoming, title)?;
        shell.room = room;
        shell.resumed = kept::going_on(incoming).map(|id| id.as_str().to_owned());
        shell.given_back = incoming.taken.get().is_some();
        let acting = greeting.acting.as_ref().map(|a| &a.id);
        shell.kept = greeting
            .kept
            .iter()
            .filter(|k| shell.resumed.as_deref() != Some(k.id.as_str()))
            .map(|k| Kept::of(k, acting))
            .collect();
        shell.who = Some(Who::of(&greeting));
        Ok(shell)
    }

    /// Around a page without a session.
    ///
    /// # Errors
    /// When there is no randomness for a key.
    pub fn open(app: &App, incoming: &Incoming, title: impl Into<String>) -> Result<Self, Fault> {
        let once = RequestId::random(app.chance()).map_err(|e| Fault::Service(ServiceError::from(e)))?;
        let done = incoming
            .query
            .get("fait")
            .and_then(|code| DONE.iter().find(|(known, _)| known == code))
            .map(|(_, sentence)| *sentence);
        Ok(Self {
            title: title.into(),
            room: Room::None,
            who: None,
            done,
            once: once.as_str().to_owned(),
            assets: assets::base(),
            demonstration: incoming.demonstration.is_some(),
            kept: Vec::new(),
            resumed: None,
            given_back: false,
        })
    }

    /// The frames under which the reader may open a pathway; none where it is not for them.
    #[must_use]
    pub fn opens_under(&self) -> &[Mandate] {
        self.who.as_ref().map_or(&[], |w| &w.opens_under)
    }

    #[must_use]
    pub fn assignment(&self) -> &str {
        self.who.as_ref().map_or("", |w| &w.assignment)
    }
}

/// The page of a problem: no name, no way that depends on who asks.
#[derive(Template)]
#[template(path = "trouble.html")]
pub struct Trouble<'a> {
    pub problem: &'a Problem,
    pub assets: &'static str,
}

impl Page for Trouble<'_> {
    #[cfg(test)]
    const NAME: &'static str = "trouble";

    #[cfg(test)]
    fn samples() -> Vec<(&'static str, Self)> {
        use crate::domain::cell::Reason;
        use crate::domain::text::{EntryError, FieldErrors};
        use crate::service::Explanation;
        let of = |error: &ServiceError| Self {
            problem: Box::leak(Box::new(Problem::of(error, "incident-7"))),
            assets: "/assets/0",
        };
        let reasons = vec![Reason::CeilingNever, Reason::NotShared];
        let fields = FieldErrors::one("label", EntryError::Missing);
        vec![
            ("absent", of(&ServiceError::AbsentOrRefused)),
            ("refused", of(&ServiceError::Explained(Explanation { reasons }))),
            ("invalid", of(&ServiceError::Invalid(fields))),
            ("changed", of(&ServiceError::Conflict)),
            ("method", Self { problem: Box::leak(Box::new(Problem::method())), assets: "/assets/0" }),
            ("incident", of(&ServiceError::Internal("a secret of the program".to_owned()))),
            ("unavailable", of(&ServiceError::Unavailable("a secret of the disk".to_owned()))),
        ]
    }
}

/// Shells for samples.
#[cfg(test)]
pub mod sample {
    use super::*;

    /// Nobody signed in.
    pub fn open(title: &str) -> Shell {
        Shell {
            title: title.to_owned(),
            room: Room::None,
            who: None,
            done: None,
            once: "once".to_owned(),
            assets: "/assets/0",
            demonstration: false,
            kept: Vec::new(),
            resumed: None,
            given_back: false,
        }
    }

    /// Somebody whose mission opens no pathway.
    pub fn opening_nothing(title: &str) -> Shell {
        let mut shell = signed_in(Room::Pathways, title);
        if let Some(who) = &mut shell.who {
            who.opens_under = Vec::new();
        }
        shell
    }

    /// A référente at work.
    pub fn signed_in(room: Room, title: &str) -> Shell {
        Shell {
            room,
            who: Some(Who {
                name: "Nadia Benali".to_owned(),
                acting: Some("Ville de Val-d'Orme · Référent de parcours".to_owned()),
                assignment: "assignment".to_owned(),
                several: false,
                opens_under: Mandate::ALL.to_vec(),
                ways: vec![
                    way(Room::Today, "/", "Aujourd'hui", Icon::House),
                    way(Room::Pathways, "/parcours", "Parcours", Icon::Pathway),
                ],
                closes_at: "14 h 05".to_owned(),
                reminders: Vec::new(),
            }),
            ..open(title)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::cell::Reason;
    use crate::domain::text::{EntryError, FieldErrors};
    use crate::service::Explanation;

    #[test]
    fn every_problem_is_a_page_that_says_what_to_do_and_no_more() {
        let all = [
            ServiceError::AbsentOrRefused,
            ServiceError::Explained(Explanation { reasons: vec![Reason::NotShared] }),
            ServiceError::Conflict,
            ServiceError::PreconditionFailed,
            ServiceError::Invalid(FieldErrors::one("label", EntryError::Missing)),
            ServiceError::rule("some_rule", "Faites autrement."),
            ServiceError::TooManyAttempts(30),
            ServiceError::Internal("a secret of the program".to_owned()),
            ServiceError::Unavailable("a secret of the disk".to_owned()),
        ];
        for error in &all {
            let problem = Problem::of(error, "incident-7");
            let html = crate::web::pages::problem(&problem);
            assert!(html.starts_with("<!doctype html>") && html.contains("<h1>"), "{error}");
            assert_eq!(html.contains("incident-7"), problem.status >= 500, "{error}");
            assert!(!html.contains("a secret") && !html.contains(" style="), "{error}");
            assert!(html.contains("href=\"/\""), "{error}");
        }
        let method = crate::web::pages::problem(&Problem::method());
        assert!(!method.contains("Allow"), "{method}");
    }

    #[test]
    fn pages_of_troubles() {
        crate::web::pages::snapshots::check::<Trouble<'static>>();
    }

    fn greeted(acting: Option<crate::service::sessions::OwnAssignment>, charters: &[&str]) -> Greeting {
        let to_sign = |from: &&str| CharterToSign {
            id: crate::ids::CharterId::parse("aaaaaaaaaaaaaaaaaaaaaaaaaa").unwrap(),
            number: 1,
            title: String::new(),
            effective_at: (*from).to_owned(),
            text_hash: String::new(),
            policy_hash: String::new(),
        };
        Greeting {
            name: String::new(),
            account: AccountState::Confirmed,
            acting,
            assignments: Vec::new(),
            charters_to_sign: charters.iter().map(to_sign).collect(),
            structure_unsigned: None,
            awaited: Vec::new(),
            kept: Vec::new(),
            ends_at: Timestamp::from_micros(0),
            now: Timestamp::parse_rfc3339("2027-03-14T10:00:00Z").unwrap(),
        }
    }

    #[test]
    fn a_version_announced_says_from_which_day_one_would_read_nothing() {
        let acting = || crate::web::pages::account::sample_me(AccountState::Confirmed).assignments.pop();
        let (past, coming) = ("2027-01-04T00:00:00Z", "2027-04-12T22:00:00Z");
        let told = |charters: &[&str]| reminders(&greeted(acting(), charters));
        assert!(told(&[]).is_empty());
        let announced = told(&[coming]);
        assert!(
            announced[0]
                .0
                .contains("À partir du 13 avril 2027, sans votre signature, vous ne lirez plus rien.")
        );
        assert_eq!(announced[0].1, "/charte/annoncee");
        for one_in_force in [told(&[past]), told(&[past, coming]), told(&[coming, past])] {
            assert_eq!(one_in_force.len(), 1, "one thing at a time");
            assert!(one_in_force[0].0.contains("vous ne lisez rien") && one_in_force[0].1 == "/charte");
        }
    }

    #[test]
    fn doors_are_those_of_the_affectation() {
        let hrefs = |profession, function| {
            let acting = crate::service::sessions::OwnAssignment {
                profession,
                function,
                ..crate::web::pages::account::sample_me(AccountState::Confirmed).assignments.remove(0)
            };
            ways(&greeted(Some(acting), &[])).iter().map(|w| w.href).collect::<Vec<_>>()
        };
        assert_eq!(
            hrefs(Profession::Auditor, Function::Practitioner),
            ["/controle", "/identites", "/conservation", "/charte"]
        );
        assert_eq!(hrefs(Profession::Administrator, Function::Practitioner), ["/structures", "/charte"]);
        let officer = hrefs(Profession::DataProtectionOfficer, Function::Practitioner);
        assert_eq!(officer, ["/", "/urgences", "/identites", "/conservation", "/charte"]);
        assert!(!hrefs(Profession::Aemo, Function::Secretary).contains(&"/parcours"));
        assert!(hrefs(Profession::Aemo, Function::Manager).contains(&"/responsable"));
    }
}
