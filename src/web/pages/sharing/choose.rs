//! Partager: what on the left, who would read it on the right, then sharing with those whom one ticks.

use askama::Template;

use super::asked::Asked;
use super::decision::{About, Elsewhere, Line, Verdict};
use super::{SUBJECTS, labels, member_only, own_items};
use crate::clock::plus_months;
use crate::domain::day::Day;
use crate::domain::record::Action;
use crate::domain::text::{EntryError, FieldErrors};
use crate::domain::vocabulary::{Profession, Purpose, Secrecy};
use crate::ids::{ItemId, ItemVersionId};
use crate::service::App;
use crate::service::preview::PreviewRequest;
use crate::service::reading::ItemView;
use crate::service::shares::NewShare;
use crate::web::form::BUTTON;
use crate::web::kept::resumed;
use crate::web::pages::Page;
use crate::web::pages::entered::{Entered, back, missing};
use crate::web::pages::frame::{Frame, Part, pathway_of};
use crate::web::pages::icon::Icon;
use crate::web::pages::shell::Shell;
use crate::web::pages::turning::Turning;
use crate::web::pages::words;
use crate::web::route::{Answer, Fault, Incoming};

/// How long a share is proposed for, when no review comes before.
const PROPOSED_MONTHS: u32 = 3;

/// Why something is shared here: a handover has its own way, protection its record.
const PURPOSES: &[Purpose] = &[
    Purpose::Coordination,
    Purpose::Stay,
    Purpose::Schooling,
    Purpose::Integration,
    Purpose::Care,
    Purpose::Conference,
    Purpose::Referral,
];
const UNDER_THE_LAW: &[Purpose] = &[Purpose::Protection];

/// How many writings a page offers; the others stand on pages of their own, and what was ticked goes along.
const OFFERED: usize = 20;

/// Professions that somebody may ask about: those of people, not of the platform.
fn professions() -> Vec<Profession> {
    Profession::ALL.iter().copied().filter(|p| !p.is_platform()).collect()
}

/// What the answer carries to the button that shares.
struct Carried {
    item: ItemId,
    version: ItemVersionId,
}

/// The answer.
struct Seen {
    purpose: Purpose,
    what: Vec<String>,
    carried: Vec<Carried>,
    lines: Vec<Line>,
    /// New shares may be made.
    open: bool,
}

impl Seen {
    /// Who reads it as one's own goes on reading it; nothing is to be shared before the review.
    fn may_take(&self, line: &Line) -> bool {
        self.open && line.verdict == Verdict::All
    }

    fn anybody(&self) -> bool {
        self.lines.iter().any(|l| self.may_take(l))
    }
}

/// A writing that is ticked and stands on another page of the list.
struct Ticked {
    item: String,
    label: String,
}

/// What stands on the page that is asked for, and what is ticked elsewhere.
fn offered(items: Vec<ItemView>, asked: &Asked) -> (Turning, Vec<ItemView>, Vec<Ticked>) {
    let turning = Turning::to(asked.page.parse().unwrap_or(1), OFFERED, items.len());
    let lines = turning.lines();
    let (mut here, mut ticked) = (Vec::new(), Vec::new());
    for (n, item) in items.into_iter().enumerate() {
        if lines.contains(&n) {
            here.push(item);
        } else if asked.items.contains(&item.id) {
            ticked.push(Ticked { item: item.id, label: item.label });
        }
    }
    (turning, here, ticked)
}

/// A profession asked about, and the charter's answer.
type ByProfession = (Profession, Vec<Elsewhere>);

/// Partager.
#[derive(Template)]
#[template(path = "share_choose.html")]
struct ShareChoosePage {
    shell: Shell,
    frame: Frame,
    /// The writings of this page.
    items: Vec<ItemView>,
    turning: Turning,
    /// What is ticked on other pages of the list.
    ticked: Vec<Ticked>,
    purposes: &'static [Purpose],
    professions: Vec<Profession>,
    /// The left form.
    choice: Entered,
    /// The right form, and what is to be corrected.
    entered: Entered,
    seen: Option<Seen>,
    /// The profession asked about, and the charter's answer.
    elsewhere: Option<ByProfession>,
}

impl ShareChoosePage {
    /// Whether the first day is asked for before it is looked for.
    fn for_stay(&self) -> bool {
        self.choice.is("purpose", Purpose::Stay.code()) || !self.choice.value("departure").is_empty()
    }

    fn has_statute(&self) -> bool {
        !self.choice.value("statute").is_empty()
    }
}

/// The last day that is proposed: the review, or three months.
fn proposed_day(frame: &Frame) -> String {
    let months = plus_months(frame.today, PROPOSED_MONTHS).unwrap_or(frame.today);
    let review = frame.view.review_on.as_deref().and_then(|d| Day::parse(d).ok()).map(Day::date);
    let day = review.filter(|r| *r > frame.today).map_or(months, |r| r.min(months));
    day.to_string()
}

fn answer(
    app: &App,
    incoming: &Incoming,
    frame: &Frame,
    items: &[ItemView],
    asked: &Asked,
) -> Result<(Option<Seen>, Option<ByProfession>), Fault> {
    let Some(request) = asked.request()? else { return Ok((None, None)) };
    let pathway = pathway_of(incoming)?;
    let call = incoming.call()?;
    let labels = labels(items);
    let rest = asked.rest();
    let about = About { frame, purpose: request.purpose, labels: &labels, rest: &rest };
    let preview = app.preview(call, &pathway, &request)?.into_inner();
    let carried = request
        .items
        .iter()
        .filter_map(|wanted| {
            let view = items.iter().find(|i| i.id == wanted.item.as_str())?;
            Some(Carried { item: wanted.item.clone(), version: ItemVersionId::parse(&view.version_id).ok()? })
        })
        .collect();
    let what = match request.category {
        Some(category) => vec![format!("Tout le sujet « {} »", category.french())],
        None => request
            .items
            .iter()
            .filter_map(|w| labels.iter().find(|(id, _)| *id == w.item))
            .map(|(_, label)| label.clone())
            .collect(),
    };
    let seen = Seen {
        purpose: request.purpose,
        what,
        carried,
        lines: about.lines(&preview),
        open: !frame.view.review_due,
    };
    let elsewhere = match asked.hypothetical()? {
        Some(somebody) => {
            let profession = somebody.profession;
            let request = PreviewRequest { hypothetical: Some(somebody), ..request };
            let told = app.preview(call, &pathway, &request)?.into_inner();
            Some((profession, about.elsewhere(&told.hypothetical)))
        }
        None => None,
    };
    Ok((Some(seen), elsewhere))
}

fn show(
    app: &App,
    incoming: &Incoming,
    status: u16,
    mut asked: Asked,
    entered: Entered,
) -> Result<Answer, Fault> {
    let (shell, frame) = Frame::read(app, incoming, Part::Shares, "Partager")?;
    member_only(&frame)?;
    let items = own_items(app, incoming, &pathway_of(incoming)?)?;
    if asked.last_day.is_empty() {
        asked.last_day = proposed_day(&frame);
    }
    let (status, entered, seen, elsewhere) = match answer(app, incoming, &frame, &items, &asked) {
        Ok((seen, elsewhere)) => (status, entered, seen, elsewhere),
        // What cannot be asked is told on this page, beside what was chosen.
        Err(fault) => {
            let mut told = None;
            back(app, incoming, fault, |status, entered| {
                told = Some((status, entered));
                Ok(Answer::Empty)
            })?;
            let (told_status, told) = told.ok_or_else(|| missing("item"))?;
            let entered = if entered.told().is_empty() { told } else { entered };
            (status.max(told_status), entered, None, None)
        }
    };
    let purposes = if asked.statute.is_empty() { PURPOSES } else { UNDER_THE_LAW };
    let choice = Entered::sent(&asked.form());
    let (turning, items, ticked) = offered(items, &asked);
    Answer::page_with(
        status,
        &ShareChoosePage {
            shell,
            frame,
            items,
            turning,
            ticked,
            purposes,
            professions: professions(),
            choice,
            entered,
            seen,
            elsewhere,
        },
    )
}

/// The question as the address asks it, or as it was left unsent; at the address where it is sent too, so that what
/// was chosen when a session ended has a page to come back to.
pub fn page(app: &App, incoming: &Incoming) -> Result<Answer, Fault> {
    match resumed(app, incoming)? {
        Some(left) => show(app, incoming, 200, Asked::of_form(&left), Entered::sent(&left)),
        None => show(app, incoming, 200, Asked::of_address(incoming), Entered::nothing()),
    }
}

/// « Voir qui lira »: the question becomes an address.
pub fn look(app: &App, incoming: &Incoming) -> Result<Answer, Fault> {
    let mut asked = Asked::of_form(&incoming.form);
    let pathway = pathway_of(incoming)?;
    // Turning a page asks nothing yet: what was ticked goes along.
    if let Some(page) = incoming.form.one(BUTTON).and_then(|b| b.strip_prefix("page.")) {
        page.clone_into(&mut asked.page);
        let address = asked.address(&format!("/parcours/{pathway}/partager"));
        return Ok(Answer::see_other(format!("{address}#f-item")));
    }
    let lacking = if asked.items.is_empty() && asked.category.is_empty() {
        Some("item")
    } else if asked.purpose.is_empty() {
        Some("purpose")
    } else if asked.last_day.is_empty() {
        Some("last_day")
    } else {
        None
    };
    match lacking {
        Some(field) => back(app, incoming, missing(field), |status, entered| {
            show(app, incoming, status, asked.clone(), entered)
        }),
        None => {
            Ok(Answer::see_other(format!("{}#qui", asked.address(&format!("/parcours/{pathway}/partager")))))
        }
    }
}

pub fn share(app: &App, incoming: &Incoming) -> Result<Answer, Fault> {
    debug_assert_eq!(incoming.act.action, Action::Share);
    let pathway = pathway_of(incoming)?;
    let attempt = || -> Result<String, Fault> {
        if incoming.form.all("recipients[]").next().is_none() {
            let nobody = FieldErrors::one("recipients", EntryError::NobodyChosen);
            return Err(Fault::Syntax(nobody.into()));
        }
        let new: NewShare = incoming.form.read().map_err(|e| Fault::Syntax(e.into()))?;
        Ok(app.share_create(incoming.call()?, &pathway, &new)?.id)
    };
    match attempt() {
        Ok(id) => Ok(Answer::see_other(format!("/parcours/{pathway}/partages/{id}?fait=partage"))),
        Err(fault) => back(app, incoming, fault, |status, entered| {
            show(app, incoming, status, Asked::of_form(&incoming.form), entered)
        }),
    }
}

impl Page for ShareChoosePage {
    #[cfg(test)]
    const NAME: &'static str = "share_choose";

    #[cfg(test)]
    fn samples() -> Vec<(&'static str, Self)> {
        use super::sample;
        use crate::domain::vocabulary::Category;
        use crate::domain::vocabulary::Role;
        use crate::service::ServiceError;
        use crate::web::form::Form;
        use crate::web::pages::frame::sample::frame_as;
        let page = |role, items, asked: Asked, seen: bool, elsewhere, entered| {
            let (shell, frame) = frame_as(role, Part::Shares, "Partager");
            let labels = labels(&sample::items());
            let about = About {
                frame: &frame,
                purpose: Purpose::Schooling,
                labels: &labels,
                rest: "&purpose=schooling",
            };
            let seen = seen.then(|| Seen {
                purpose: Purpose::Schooling,
                what: vec!["Aide aux devoirs".to_owned(), "Chambre".to_owned()],
                carried: vec![Carried { item: sample::item_id('a'), version: sample::version_id('a') }],
                lines: about.lines(&sample::preview()),
                open: true,
            });
            let purposes = if asked.statute.is_empty() { PURPOSES } else { UNDER_THE_LAW };
            let professions = professions();
            let choice = Entered::sent(&asked.form());
            let (turning, items, ticked) = offered(items, &asked);
            Self {
                shell,
                frame,
                items,
                turning,
                ticked,
                purposes,
                professions,
                choice,
                entered,
                seen,
                elsewhere,
            }
        };
        let asked = || Asked {
            items: vec![sample::item_id('a').to_string(), sample::item_id('b').to_string()],
            purpose: "schooling".to_owned(),
            last_day: "2027-06-14".to_owned(),
            ..Asked::default()
        };
        let outsider = Elsewhere {
            category: Category::Schooling,
            possible: true,
            needs: Some("Accord par sujet"),
            needs_release: true,
            why: Vec::new(),
        };
        let refused =
            Entered::refused(&Form::default(), &ServiceError::rule("will_not_read", "Rien n'a été partagé."));
        let stay = Asked { purpose: "stay".to_owned(), departure: "2027-06-10".to_owned(), ..asked() };
        let law =
            Asked { statute: sample::item_id('c').to_string(), purpose: "protection".to_owned(), ..asked() };
        let told = |role, preview| {
            let mut page = page(role, sample::items(), asked(), true, None, Entered::nothing());
            let labels = labels(&sample::items());
            let about = About { frame: &page.frame, purpose: Purpose::Schooling, labels: &labels, rest: "" };
            let lines = about.lines(&preview);
            page.seen = page.seen.map(|seen| Seen { lines, ..seen });
            page
        };
        let paused = |role| {
            use crate::domain::cell::Reason;
            let mut page = told(role, sample::preview());
            (page.shell, page.frame) =
                crate::web::pages::frame::sample::paused(role, Part::Shares, "Partager");
            let mut preview = sample::preview();
            for reader in &mut preview.readers {
                reader.will_read_all = false;
                reader.things = vec![sample::no('a', Category::Schooling, Reason::SharingPaused)];
            }
            let about = About { frame: &page.frame, purpose: Purpose::Schooling, labels: &[], rest: "" };
            let lines = about.lines(&preview);
            page.seen = page.seen.map(|seen| Seen { lines, open: false, ..seen });
            page
        };
        vec![
            ("every_reason", told(Role::Participant, sample::every_reason())),
            ("paused", paused(Role::Participant)),
            ("paused_for_the_referent", paused(Role::Referent)),
            ("empty", page(Role::Referent, Vec::new(), Asked::default(), false, None, Entered::nothing())),
            (
                "asked",
                page(Role::Referent, sample::items(), Asked::default(), false, None, Entered::nothing()),
            ),
            (
                "seen",
                page(
                    Role::Referent,
                    sample::items(),
                    asked(),
                    true,
                    Some((Profession::Teacher, vec![outsider])),
                    Entered::nothing(),
                ),
            ),
            ("refused", page(Role::Participant, sample::items(), asked(), true, None, refused)),
            ("turned", {
                let mut page =
                    page(Role::Referent, sample::items(), asked(), false, None, Entered::nothing());
                page.turning = Turning::to(2, OFFERED, 3 * OFFERED);
                page.ticked =
                    vec![Ticked { item: sample::item_id('c').to_string(), label: "Trajets".to_owned() }];
                page
            }),
            ("statute", page(Role::Participant, sample::items(), law, true, None, Entered::nothing())),
            ("stay", page(Role::Participant, sample::items(), stay, true, None, Entered::nothing())),
        ]
    }
}

#[cfg(test)]
mod tests {
    use super::super::asked::MOST_AT_ONCE;
    use super::*;
    use crate::domain::vocabulary::Category;

    #[test]
    fn pages_of_sharing() {
        crate::web::pages::snapshots::check::<ShareChoosePage>();
    }

    /// A year's writings with labels as long as they may be, as many ticked as may be, on every page of the list; eight
    /// people of the circle, of whom each is told what it reads.
    #[test]
    fn a_choice_among_many_writings_is_light_and_keeps_what_is_ticked() {
        use super::super::sample;
        use crate::web::pages::snapshots::{full, light};
        let one = |n: usize| ItemView {
            id: format!("{n:0>26}"),
            label: full(140),
            ..sample::item('a', "", Category::HealthDetailed, true)
        };
        let many = || (0..130).map(one).collect::<Vec<_>>();
        let ticked: Vec<String> =
            many().iter().rev().step_by(6).take(MOST_AT_ONCE).map(|i| i.id.clone()).collect();
        assert_eq!(ticked.len(), MOST_AT_ONCE);
        let mut offered_in_all = 0;
        for number in 1..=many().len().div_ceil(OFFERED) {
            let (_, mut page) = ShareChoosePage::samples().into_iter().find(|(n, _)| *n == "seen").unwrap();
            let asked = Asked {
                items: ticked.clone(),
                purpose: "schooling".to_owned(),
                last_day: "2027-06-14".to_owned(),
                page: number.to_string(),
                ..Asked::default()
            };
            page.choice = Entered::sent(&asked.form());
            (page.turning, page.items, page.ticked) = offered(many(), &asked);
            page.seen = page.seen.map(|seen| Seen {
                what: vec![full(140); MOST_AT_ONCE],
                carried: (0..MOST_AT_ONCE)
                    .map(|_| Carried { item: sample::item_id('a'), version: sample::version_id('a') })
                    .collect(),
                lines: seen.lines.iter().cycle().take(8).cloned().collect(),
                ..seen
            });
            let html = light(&page);
            offered_in_all += page.items.len();
            for id in &ticked {
                let here = format!("name=\"item\" value=\"{id}\" checked");
                let elsewhere = format!("type=\"hidden\" name=\"item\" value=\"{id}\"");
                assert_eq!(
                    html.matches(&here).count() + html.matches(&elsewhere).count(),
                    1,
                    "{number}: {id}"
                );
            }
        }
        assert_eq!(offered_in_all, many().len());
    }

    /// Who reads it as its own service's goes on reading it in the pause: there is nothing to tick for that.
    #[test]
    fn story_s3_nobody_is_to_be_ticked_before_the_review() {
        let (_, mut page) = ShareChoosePage::samples().into_iter().find(|(name, _)| *name == "seen").unwrap();
        assert!(page.render().unwrap().contains("recipients[]"));
        page.seen = page.seen.map(|seen| Seen { open: false, ..seen });
        let html = page.render().unwrap();
        assert!(!html.contains("recipients[]") && !html.contains("Elles liront"));
    }
}
