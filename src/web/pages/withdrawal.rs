//! « La famille ne veut plus » (S6): two clicks, by any member of the circle; the secretary's page is beside (`office`).
//!
//! INVARIANT: the answer is the service's, the same whether anything was covered; nothing is asked but who, what and by
//! which channel.

use askama::Template;
use serde_json::json;

use super::Page;
use super::accords::{Choice, Family, act, service_key};
use super::entered::{Entered, back};
use super::frame::{Frame, Part, pathway_of};
use super::icon::Icon;
use super::shell::Shell;
use super::words;
use crate::domain::record::{Action, ResourceKind};
use crate::domain::text::{EntryError, FieldErrors};
use crate::domain::vocabulary::{Category, Purpose, Role};
use crate::ids::PathwayId;
use crate::service::{App, ServiceError, WithdrawalInput, WithdrawalView};
use crate::web::form::{Form, read_tree};
use crate::web::route::{Answer, Fault, Incoming, Method, Route};

/// A service with its people.
pub(super) struct Group {
    pub label: String,
    pub options: Vec<Choice>,
}

/// The form, wherever it stands.
pub(super) struct WithdrawalForm {
    pub action: String,
    pub cancel: String,
    pub entered: Entered,
    pub by: Vec<Choice>,
    pub whom: Vec<Group>,
    pub channels: Vec<Choice>,
}

fn channels() -> Vec<Choice> {
    [
        ("telephone", "Par téléphone"),
        ("in_person", "De vive voix"),
        ("letter", "Par courrier"),
        ("email", "Par message"),
        ("through_somebody", "Par quelqu'un d'autre"),
    ]
    .into_iter()
    .map(|(code, french)| Choice::new(code, french))
    .collect()
}

impl WithdrawalForm {
    /// With what is said most often already chosen: a parent, everything, by telephone. Two clicks.
    pub fn read(
        app: &App,
        incoming: &Incoming,
        action: String,
        cancel: String,
        entered: Entered,
        family: &Family,
    ) -> Result<Self, Fault> {
        let all = app.addressees(incoming.call()?, Purpose::Coordination)?.into_inner().items;
        let whom = all
            .into_iter()
            .map(|a| {
                let whole = Choice::new(
                    service_key(&a.service),
                    format!("{} : tout ce service", a.service.mission_title),
                );
                let people = a.people.iter().map(|p| Choice::new(p.assignment.as_str(), p.name.clone()));
                Group {
                    label: format!(
                        "{} ({})",
                        a.service.organisation_name,
                        a.service.profession.within_brackets()
                    ),
                    options: std::iter::once(whole).chain(people).collect(),
                }
            })
            .collect();
        let mut by = vec![
            Choice::new("parent", "Un parent, je ne sais pas lequel"),
            Choice::new("young_person", "Le jeune"),
        ];
        by.extend(
            family
                .holders()
                .iter()
                .filter(|h| h.can_sign)
                .map(|h| Choice::new(h.id.clone(), super::accords::holder_name(h))),
        );
        let entered = if entered.is_empty() {
            Entered::filled(&[("by", "parent"), ("scope", "everything"), ("channel", "telephone")])
        } else {
            entered
        };
        Ok(Self { action, cancel, entered, by, whom, channels: channels() })
    }
}

/// The page in the circle.
#[derive(Template)]
#[template(path = "withdrawal.html")]
struct WithdrawalPage {
    shell: Shell,
    frame: Frame,
    form: WithdrawalForm,
}

/// What was recorded, and whom to call.
#[derive(Template)]
#[template(path = "withdrawal_done.html")]
pub(super) struct DonePage {
    pub shell: Shell,
    pub told: WithdrawalView,
    pub back: String,
}

impl DonePage {
    /// The service's sentence, whose first words are the title already.
    fn sentence(&self) -> &str {
        let said = self.told.sentence.as_str();
        said.strip_prefix("C'est noté. ").unwrap_or(said)
    }
}

/// The rows.
#[must_use]
pub fn routes() -> Vec<Route> {
    const PATH: &str = "/parcours/{pathway}/retrait";
    vec![
        super::row(Method::Get, PATH, (Action::Read, ResourceKind::Accord), page),
        super::row(Method::Post, PATH, (Action::Withdraw, ResourceKind::Accord), record),
    ]
}

/// The form as the API would read it.
fn input_of(form: &Form) -> Result<WithdrawalInput, FieldErrors> {
    let missing = |field: &str| FieldErrors::one(field, EntryError::Missing);
    let one = |name: &str| form.one(name).ok_or_else(|| missing(name));
    let what = match one("scope")? {
        "everything" => json!({ "scope": "everything" }),
        "subject" => json!({ "scope": "category", "category": one("category")? }),
        "whom" => {
            let whom = one("whom")?;
            let mut parts = whom.split('.');
            match (parts.next(), parts.next(), parts.next()) {
                (Some(organisation), Some(profession), Some(mission)) => json!({
                    "scope": "recipient",
                    "recipient": { "organisation": organisation, "profession": profession, "mission": mission },
                }),
                _person => json!({ "scope": "person", "assignment": whom }),
            }
        }
        _other => return Err(FieldErrors::one("scope", EntryError::NotInList { list: "liste" })),
    };
    read_tree(json!({ "by": one("by")?, "what": what, "channel": one("channel")? }))
}

/// Records it.
pub(super) fn recorded(app: &App, incoming: &Incoming, pathway: &PathwayId) -> Result<WithdrawalView, Fault> {
    let input = input_of(&incoming.form).map_err(|e| Fault::Syntax(ServiceError::Invalid(e)))?;
    let told = app.withdrawal_record(incoming.call()?, act(Action::Withdraw), pathway, &input)?.into_inner();
    // Answered by a page, not by an address to go to.
    crate::web::kept::done(app, incoming);
    Ok(told)
}

fn show(app: &App, incoming: &Incoming, status: u16, entered: Entered) -> Result<Answer, Fault> {
    let (shell, frame) = Frame::read(app, incoming, Part::Other, "La famille ne veut plus")?;
    let family = Family::read(app, incoming, frame.view.me.role == Role::Referent)?;
    let (action, cancel) = (frame.at("/retrait"), frame.at(""));
    let form = WithdrawalForm::read(app, incoming, action, cancel, entered, &family)?;
    Answer::page_with(status, &WithdrawalPage { shell, frame, form })
}

fn page(app: &App, incoming: &Incoming) -> Result<Answer, Fault> {
    show(app, incoming, 200, Entered::first(app, incoming)?)
}

fn record(app: &App, incoming: &Incoming) -> Result<Answer, Fault> {
    let pathway = pathway_of(incoming)?;
    match recorded(app, incoming, &pathway) {
        // The answer is read at once: it may say whom to call.
        Ok(told) => {
            let room = super::shell::Room::Pathways;
            let shell = Shell::signed_in(app, incoming, room, "C'est noté")?;
            Answer::page(&DonePage { shell, told, back: format!("/parcours/{pathway}") })
        }
        Err(fault) => back(app, incoming, fault, |status, entered| show(app, incoming, status, entered)),
    }
}

#[cfg(test)]
impl WithdrawalForm {
    pub fn sample(entered: Entered) -> Self {
        Self {
            action: "/parcours/pathway/retrait".to_owned(),
            cancel: "/parcours/pathway".to_owned(),
            entered,
            by: vec![
                Choice::new("parent", "Un parent, je ne sais pas lequel"),
                Choice::new("young_person", "Le jeune"),
            ],
            whom: vec![Group {
                label: "Sauvegarde (Éducateur AEMO / AED)".to_owned(),
                options: vec![
                    Choice::new("key", "Action éducative : tout ce service"),
                    Choice::new("id", "Claire Morel"),
                ],
            }],
            channels: channels(),
        }
    }

    pub fn usual() -> Entered {
        Entered::filled(&[("by", "parent"), ("scope", "everything"), ("channel", "telephone")])
    }
}

impl Page for WithdrawalPage {
    #[cfg(test)]
    const NAME: &'static str = "withdrawal";

    #[cfg(test)]
    fn samples() -> Vec<(&'static str, Self)> {
        use super::frame::sample::frame_as;
        let page = |role, entered| {
            let (shell, frame) = frame_as(role, Part::Other, "La famille ne veut plus");
            Self { shell, frame, form: WithdrawalForm::sample(entered) }
        };
        let wrong = ServiceError::Invalid(FieldErrors::one("category", EntryError::Missing));
        let form = Form::of(&[("by", "parent"), ("scope", "subject"), ("channel", "letter")]);
        vec![
            ("everything", page(Role::Participant, WithdrawalForm::usual())),
            ("stay_organiser", page(Role::StayOrganiser, WithdrawalForm::usual())),
            ("subject_missing", page(Role::Referent, Entered::refused(&form, &wrong))),
        ]
    }
}

impl Page for DonePage {
    #[cfg(test)]
    const NAME: &'static str = "withdrawal_done";

    #[cfg(test)]
    fn samples() -> Vec<(&'static str, Self)> {
        use crate::service::RunningStay;
        let page = |running_stays| Self {
            shell: super::shell::sample::signed_in(super::shell::Room::Pathways, "C'est noté"),
            told: WithdrawalView {
                id: "id".to_owned(),
                sentence: "C'est noté. Ce qui reposait sur un accord n'est plus lu à partir de maintenant."
                    .to_owned(),
                running_stays,
            },
            back: "/parcours/pathway".to_owned(),
        };
        let stay = RunningStay {
            organisation: "Ville de Val-d'Orme".to_owned(),
            telephone: "06 01 02 03 05".to_owned(),
            sentence: "Le séjour est en cours : appelez la direction au 06 01 02 03 05.".to_owned(),
        };
        vec![("plain", page(vec![])), ("stay", page(vec![stay]))]
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::service::ScopeInput;

    #[test]
    fn pages_of_withdrawal() {
        crate::web::pages::snapshots::check::<WithdrawalPage>();
        crate::web::pages::snapshots::check::<DonePage>();
    }

    #[test]
    fn everything_one_service_one_person_or_one_subject() {
        let read = |fields: &[(&str, &str)]| {
            let mut all = vec![("by", "parent"), ("channel", "telephone")];
            all.extend_from_slice(fields);
            input_of(&Form::of(&all)).map(|i| i.what)
        };
        let (a, b) = ("a".repeat(26), "e".repeat(26));
        assert!(matches!(read(&[("scope", "everything")]), Ok(ScopeInput::Everything {})));
        let service = format!("{a}.aemo.{b}");
        assert!(matches!(read(&[("scope", "whom"), ("whom", &service)]), Ok(ScopeInput::Recipient { .. })));
        assert!(matches!(read(&[("scope", "whom"), ("whom", &a)]), Ok(ScopeInput::Person { .. })));
        let subject = read(&[("scope", "subject"), ("category", "schooling")]);
        assert!(matches!(subject, Ok(ScopeInput::Category { category: Category::Schooling })));
        assert!(read(&[("scope", "subject")]).is_err() && read(&[]).is_err());
    }
}
