//! « La feuille de la famille » (S12): what is shared today, with whom, why, until when, how to say no, who looked. One
//! for each person who may sign.
//!
//! INVARIANTS
//! * It is made of what its printer may see: the référent's outline, or one's own shares. A service that the référent may
//!   not know prints its own.
//! * It says why in the words of the sheet that was signed, and explains every word of capitals.
//! * Nobody's opinion, address or number stands on it; no sheet is made for somebody whom one must not contact.

use std::collections::BTreeMap;

use askama::Template;

use super::Page;
use super::accords::{Choice, act, service_name};
use super::entered::missing;
use super::frame::{Frame, Part, pathway_of};
use super::icon::Icon;
use super::looked;
use super::shell::Shell;
use crate::domain::accord::LineKind;
use crate::domain::acronyms;
use crate::domain::contact::Phone;
use crate::domain::day::{Day, french_date};
use crate::domain::record::{Action, ResourceKind};
use crate::domain::vocabulary::{Category, Role};
use crate::service::share_views::{ShareLine, Standpoint};
use crate::service::{AccordStanding, Act, App, LineView, Said, ServiceError, SheetAsk, plain_purpose};
use crate::web::route::{Answer, Fault, Incoming, Method, Route};

/// Something that is shared today.
struct Shared {
    what: Vec<&'static str>,
    whom: Vec<String>,
    /// As the sheet to sign says it.
    why: String,
    until: Option<String>,
}

/// Something that may be shared: an accord in force.
struct Agreed {
    whom: String,
    /// The subjects that it names.
    what: String,
    why: String,
    until: String,
}

/// A reading.
struct Looked {
    on: String,
    who: String,
    what: String,
}

/// The sheet, or the choice of whom it is for.
#[derive(Template)]
#[template(path = "family_sheet.html")]
struct FamilySheetPage {
    shell: Shell,
    frame: Frame,
    people: Vec<Choice>,
    /// For whom; nothing while it is to be chosen.
    for_whom: Option<String>,
    shared: Vec<Shared>,
    agreed: Vec<Agreed>,
    /// Nothing when its printer may not know.
    looked: Option<Vec<Looked>>,
    /// That some lines are told later.
    kept_back: Option<String>,
    today: String,
}

impl FamilySheetPage {
    /// Whom to tell, as people read a number aloud.
    fn call(&self) -> Option<String> {
        let referent = self.frame.view.referent.as_ref()?;
        let number = Phone::parse(&referent.telephone)
            .map_or_else(|_| referent.telephone.clone(), |phone| phone.spoken());
        Some(format!("{}, {number}", referent.who.name))
    }

    /// What the letters on this sheet stand for.
    fn letters(&self) -> Vec<String> {
        let shared = self.shared.iter().flat_map(|s| &s.whom);
        let agreed = self.agreed.iter().map(|a| &a.whom);
        let looked = self.looked.iter().flatten().flat_map(|l| [&l.who, &l.what]);
        acronyms::explained(shared.chain(agreed).chain(looked).map(String::as_str))
    }
}

/// The rows.
#[must_use]
pub fn routes() -> Vec<Route> {
    const PATH: &str = "/parcours/{pathway}/feuille-de-la-famille";
    vec![super::row(Method::Get, PATH, (Action::Print, ResourceKind::Share), page).asking(&["fait", "pour"])]
}

/// Who may be given one, for somebody who knows no holder.
fn unnamed() -> Vec<Choice> {
    vec![Choice::new("young_person", "Le jeune"), Choice::new("parent", "Un parent")]
}

fn page(app: &App, incoming: &Incoming) -> Result<Answer, Fault> {
    let call = incoming.call()?;
    let pathway = pathway_of(incoming)?;
    let (shell, frame) = Frame::read(app, incoming, Part::Accords, "La feuille de la famille")?;
    let referent = match frame.view.me.role {
        Role::Referent => true,
        Role::Participant | Role::ContributorOnly => false,
        Role::StayOrganiser => return Err(Fault::Syntax(ServiceError::AbsentOrRefused)),
    };
    let people = if referent { looked::people(app, incoming)? } else { unnamed() };
    let chosen = incoming.query.get("pour").and_then(|p| people.iter().find(|c| c.code() == p));
    let for_whom = chosen.map(|c| {
        let young = c.code() == "young_person" && frame.view.name_shared;
        if young { frame.view.name.clone() } else { c.french().to_owned() }
    });
    let mut out = FamilySheetPage {
        today: french_date(frame.today),
        shell,
        frame,
        people,
        for_whom,
        shared: Vec::new(),
        agreed: Vec::new(),
        looked: None,
        kept_back: None,
    };
    if out.for_whom.is_some() {
        let reporting = reporting(&out.frame);
        let name = out.frame.view.name_shared.then_some(out.frame.view.name.as_str());
        let shares = app.shares_list(call, &pathway)?.into_inner().items;
        out.shared = shares
            .into_iter()
            .filter(|s| s.seen_as != Standpoint::Recipient)
            .flat_map(|s| shared(&s, name, &reporting))
            .collect();
        if referent {
            out.agreed = agreed(app, incoming, name)?;
            let act = Act { action: Action::Print, resource: ResourceKind::Consultations };
            let for_whom = incoming.query("pour", Said::parse)?.ok_or_else(|| missing("pour"))?;
            let ask = SheetAsk { for_whom, from: None, until: None };
            let sheet = app.looked_sheet(call, act, &pathway, &ask)?.into_inner();
            out.kept_back = sheet.kept_back_told();
            out.looked = Some(
                sheet
                    .items
                    .into_iter()
                    .map(|l| Looked {
                        on: french_date(l.on),
                        who: format!("{}, {}", l.profession.french(), l.organisation),
                        what: l.categories.iter().map(|c| c.french()).collect::<Vec<_>>().join(", "),
                    })
                    .collect(),
            );
        }
    }
    Answer::page(&out)
}

/// What is read of a share today: one entry for those who read the same of it. A share that nobody reads any more is not
/// shared, whatever its last day says.
fn shared(share: &ShareLine, name: Option<&str>, reporting: &BTreeMap<String, &'static str>) -> Vec<Shared> {
    let mut by: BTreeMap<&[Category], Vec<String>> = BTreeMap::new();
    for reader in &share.read_by {
        by.entry(&reader.categories).or_default().push(with_report(reader.name.clone(), reporting));
    }
    by.into_iter()
        .map(|(categories, whom)| Shared {
            what: categories.iter().map(|c| c.french()).collect(),
            whom,
            why: plain_purpose(share.purpose, name),
            until: share.last_day.map(Day::french),
        })
        .collect()
}

/// Members of the circle who report upward, as lists of shares name them.
fn reporting(frame: &Frame) -> BTreeMap<String, &'static str> {
    frame
        .view
        .circle
        .iter()
        .filter_map(|p| {
            let to = p.who.profession.accountable_to()?;
            Some((format!("{} ({})", p.who.name, p.who.profession.within_brackets()), to))
        })
        .collect()
}

fn with_report(whom: String, reporting: &BTreeMap<String, &'static str>) -> String {
    match reporting.get(&whom) {
        Some(to) => format!("{whom}, qui rend compte {to}"),
        None => whom,
    }
}

/// The subjects of a line of an accord, in words.
fn subjects(line: &LineView) -> String {
    if line.kind == LineKind::Contributor {
        return "apporte des informations, n'en reçoit pas".to_owned();
    }
    let mut all = line.categories.clone();
    all.extend(line.exact_words.iter().copied());
    all.sort_unstable();
    all.dedup();
    if all.is_empty() {
        "l'essentiel pour ce but".to_owned()
    } else {
        all.iter().map(|c| c.french()).collect::<Vec<_>>().join(", ")
    }
}

fn agreed(app: &App, incoming: &Incoming, name: Option<&str>) -> Result<Vec<Agreed>, Fault> {
    let all =
        app.accord_list(incoming.call()?, act(Action::List), &pathway_of(incoming)?)?.into_inner().items;
    Ok(all
        .into_iter()
        .filter(|a| a.state.code == AccordStanding::InForce)
        .flat_map(|a| {
            let until = Day::parse(&a.ends).ok().and_then(|d| d.date().pred_opt()).map(french_date);
            let until = until.unwrap_or_default();
            let why = plain_purpose(a.purpose, name);
            a.lines.into_iter().filter(|l| l.state.code == AccordStanding::InForce).map(move |l| {
                let report = l.recipient.profession.accountable_to();
                let report = report.map(|to| format!(", qui rend compte {to}")).unwrap_or_default();
                Agreed {
                    whom: format!(
                        "{} ({}){report}",
                        service_name(&l.recipient),
                        l.recipient.profession.within_brackets()
                    ),
                    what: subjects(&l),
                    why: why.clone(),
                    until: until.clone(),
                }
            })
        })
        .collect())
}

impl Page for FamilySheetPage {
    #[cfg(test)]
    const NAME: &'static str = "family_sheet";

    #[cfg(test)]
    fn samples() -> Vec<(&'static str, Self)> {
        use super::accords::{Family, holder_name};
        use super::frame::sample::frame_as;
        use crate::domain::vocabulary::Purpose;
        let named = || {
            let young = std::iter::once(Choice::new("young_person", "Le jeune"));
            let all = Family::sample();
            young
                .chain(all.holders().iter().map(|h| Choice::new(h.id.clone(), holder_name(h))))
                .collect::<Vec<_>>()
        };
        let page = |role, chosen: bool, full: bool| {
            let (shell, frame) = frame_as(role, Part::Accords, "La feuille de la famille");
            Self {
                shell,
                frame,
                people: if role == Role::Referent { named() } else { unnamed() },
                for_whom: chosen.then(|| "Sonia Martin (mère)".to_owned()),
                shared: if full {
                    vec![Shared {
                        what: vec!["Scolarité", "Besoins pratiques"],
                        whom: vec![
                            "Claire Morel (Éducateur AEMO / AED), qui rend compte au juge des enfants"
                                .to_owned(),
                        ],
                        why: plain_purpose(Purpose::Coordination, Some("Léa")),
                        until: Some("14 juillet 2027".to_owned()),
                    }]
                } else {
                    vec![]
                },
                agreed: if full && role == Role::Referent {
                    vec![Agreed {
                        whom: "Action éducative, Sauvegarde".to_owned(),
                        what: "Scolarité, Logement".to_owned(),
                        why: plain_purpose(Purpose::Coordination, Some("Léa")),
                        until: "14 juillet 2027".to_owned(),
                    }]
                } else {
                    vec![]
                },
                looked: match (role, full) {
                    (Role::Referent, true) => Some(vec![Looked {
                        on: "12 mars 2027".to_owned(),
                        who: "Éducateur AEMO / AED, Sauvegarde".to_owned(),
                        what: "Scolarité".to_owned(),
                    }]),
                    (Role::Referent, false) => Some(vec![]),
                    _other => None,
                },
                kept_back: None,
                today: "14 mars 2027".to_owned(),
            }
        };
        vec![
            ("choose", page(Role::Referent, false, false)),
            ("full", page(Role::Referent, true, true)),
            ("nothing_shared", page(Role::Referent, true, false)),
            ("own_shares", page(Role::Participant, true, true)),
        ]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pages_of_the_familys_sheet() {
        crate::web::pages::snapshots::check::<FamilySheetPage>();
    }

    #[test]
    fn no_word_of_capitals_stands_on_it_without_its_explanation_for_any_profession_and_purpose() {
        use crate::domain::vocabulary::{Profession, Purpose};
        for (profession, purpose) in
            Profession::ALL.iter().flat_map(|p| Purpose::ALL.iter().map(move |w| (p, w)))
        {
            let (_, mut page) =
                FamilySheetPage::samples().into_iter().find(|(name, _)| *name == "full").unwrap();
            let who = format!("Claire Morel ({})", profession.within_brackets());
            let why = plain_purpose(*purpose, Some("Léa"));
            page.shared.iter_mut().for_each(|s| (s.whom, s.why) = (vec![who.clone()], why.clone()));
            page.agreed.iter_mut().for_each(|a| (a.whom, a.why) = (who.clone(), why.clone()));
            page.looked.iter_mut().flatten().for_each(|l| l.who.clone_from(&who));
            let html = page.render().unwrap();
            let (_, sheet) = html.split_once("class=\"sheet card\"").unwrap();
            let (sheet, _) = sheet.split_once("</main>").unwrap();
            let text: String = sheet.split('<').filter_map(|p| p.split_once('>')).map(|(_, t)| t).collect();
            assert!(text.contains(&why.replace('\'', "&#39;")) || text.contains(&why), "{why}");
            for letters in acronyms::letters_in([text.as_str()]) {
                assert!(text.contains(&format!("{letters} : ")), "{letters} for {profession:?}");
            }
        }
    }
}
