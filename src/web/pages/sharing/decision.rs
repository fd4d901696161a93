//! « Lira / ne lira pas », as pages show it: one line per person, the verdict first, each missing link with the act
//! that would repair it as a link. The words come from the services; this only places them.

use crate::domain::cell::Reason;
use crate::domain::vocabulary::{Category, Purpose, Regime, Role};
use crate::ids::ItemId;
use crate::service::members::MemberView;
use crate::service::preview::{CharterAnswer, PairView, PreviewView, ReaderView, ReasonView};
use crate::service::who::Reachable;
use crate::web::pages::frame::Frame;
use crate::web::pages::words;

/// An act that repairs, and where it is done.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Repair {
    pub label: String,
    pub href: String,
}

/// One missing link.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Why {
    pub sentence: String,
    pub repair: Option<Repair>,
    /// What else helps, in words.
    pub hint: Option<String>,
}

/// Things about which the same is said.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Group {
    pub yes: bool,
    pub labels: Vec<String>,
    pub sentence: String,
    /// Said when it is not the accord of the family.
    pub regime: Option<&'static str>,
    pub why: Vec<Why>,
}

/// The first word of a line.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    All,
    Part,
    Nothing,
}

impl Verdict {
    #[must_use]
    pub const fn said(self) -> &'static str {
        match self {
            Self::All => "Lira",
            Self::Part => "Lira en partie",
            Self::Nothing => "Ne lira pas",
        }
    }
}

/// One person.
#[derive(Clone, Debug)]
pub struct Line {
    pub member: MemberView,
    pub verdict: Verdict,
    pub groups: Vec<Group>,
    /// Only what this person would read, asked about anew.
    pub narrower: Option<String>,
}

impl Line {
    /// Whether the name of each thing has to be told.
    #[must_use]
    pub fn differs(&self) -> bool {
        self.groups.len() > 1
    }

    /// « rend compte au juge », where the reader reports upward.
    #[must_use]
    pub fn reports(&self) -> Option<&'static str> {
        self.member.profession.accountable_to()
    }
}

/// What is to be got from the family, or written before.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Lacks {
    /// Nothing is written yet: words come first.
    Text,
    /// The validation of these words, and nothing else.
    Validation,
    Accord,
}

impl Lacks {
    fn of(pair: &PairView) -> Self {
        // The review is the référent's to hold, and no sheet makes up for it.
        let of_the_family = |code| matches!(code, Reason::NotFamilyReleased | Reason::AuthorHidden);
        let mut asked = pair.reasons.iter().map(|r| r.code).filter(|code| *code != Reason::SharingPaused);
        if pair.item.is_none() {
            Self::Text
        } else if asked.all(of_the_family) {
            Self::Validation
        } else {
            Self::Accord
        }
    }
}

/// « organisation.profession.mission », as the forms of accords name a service.
fn service_of(member: &MemberView) -> String {
    format!("{}.{}.{}", member.organisation_id, member.profession.code(), member.mission_id)
}

/// What is asked about, with the names that its asker gave.
pub struct About<'a> {
    pub frame: &'a Frame,
    pub purpose: Purpose,
    pub labels: &'a [(ItemId, String)],
    /// The rest of the address of the same question about fewer things: `&purpose=…`.
    pub rest: &'a str,
}

/// What the verdict already says is not said twice: « Lira jusqu'au … » becomes « Jusqu'au … ».
#[must_use]
pub fn after_verdict(sentence: &str) -> String {
    let rest = sentence.strip_prefix("Lira").map(|r| r.trim_start_matches([',', ' ']));
    let Some(rest) = rest else { return sentence.to_owned() };
    let mut chars = rest.chars();
    chars.next().map_or_else(String::new, |first| first.to_uppercase().chain(chars).collect())
}

impl About<'_> {
    fn label(&self, pair: &PairView) -> String {
        pair.item
            .as_ref()
            .and_then(|id| self.labels.iter().find(|(known, _)| known == id))
            .map_or_else(|| pair.category.french().to_owned(), |(_, label)| label.clone())
    }

    /// The accord that is lacking, with the texts it came from ticked; the subject is named where naming it is what helps.
    fn prepare(&self, member: Option<&MemberView>, category: Option<Category>, items: &[&ItemId]) -> String {
        let mut href = self.frame.at("/accords/preparer?purpose=");
        href.push_str(self.purpose.code());
        if let Some(m) = member {
            href.push_str(&format!("&recipient={}", service_of(m)));
        }
        if let Some(category) = category {
            href.push_str("&category=");
            href.push_str(category.code());
        }
        if !items.is_empty() {
            let ids: Vec<&str> = items.iter().map(|i| i.as_str()).collect();
            href.push_str("&item=");
            href.push_str(&ids.join("."));
        }
        href
    }

    /// The same question about these things, or about the whole subject.
    fn share(&self, category: Category, items: &[&ItemId]) -> String {
        let ids: Vec<&str> = items.iter().map(|i| i.as_str()).collect();
        let what = if ids.is_empty() {
            format!("category={}", category.code())
        } else {
            format!("item={}", ids.join("."))
        };
        self.frame.at(&format!("/partager?{what}&purpose={}", self.purpose.code()))
    }

    /// Only the family's word on these very words is lacking: one text for one service has a sheet of its own.
    fn validate(&self, member: &MemberView, item: &ItemId) -> String {
        self.frame.at(&format!(
            "/validations/preparer?item={item}&recipient={}&purpose={}",
            service_of(member),
            self.purpose.code()
        ))
    }

    fn why(
        &self,
        member: Option<&MemberView>,
        reason: &ReasonView,
        category: Category,
        items: &[&ItemId],
        lacks: Lacks,
    ) -> Why {
        let me = self.frame.view.me.role;
        let collects = me == Role::Referent || me == Role::Participant;
        let view = &self.frame.view;
        let ask_referent = match (&view.referent, &view.instead, me) {
            (Some(r), _, Role::Participant | Role::ContributorOnly) => {
                Some(format!("Ou demandez au référent : {}, {}.", r.who.name, words::telephone(&r.telephone)))
            }
            (None, Some(r), _) => Some(format!(
                "Pas de référent en ce moment : demandez à {}, {}.",
                r.who.name,
                words::telephone(&r.telephone)
            )),
            (Some(_) | None, _, _) => None,
        };
        let repair = |label: &str, href: String| Some(Repair { label: label.to_owned(), href });
        let ring = |label: &str, whom: Option<&Reachable>| {
            let whom = whom.filter(|r| !r.telephone.is_empty())?;
            let number = words::telephone(&whom.telephone);
            repair(
                &format!("{label} à {} : {number}", whom.who.name),
                format!("tel:{}", words::dialled(&whom.telephone)),
            )
        };
        // The référent has nobody to ask but somebody else.
        let leads = self.frame.to_call().filter(|_| me != Role::Referent);
        // Nothing is written yet: its words come first.
        let write_first = || {
            let href = self.frame.at(&format!("/ecrire?category={}", category.code()));
            repair("Écrire ces mots d'abord", href)
        };
        let subject_only = lacks == Lacks::Text;
        let prepared = |label: &str, category| {
            collects.then(|| self.prepare(member, category, items)).and_then(|h| repair(label, h))
        };
        let validated = |label: &str| match (items, member) {
            ([item], Some(member)) if collects && lacks == Lacks::Validation => {
                repair(label, self.validate(member, item))
            }
            _several_or_an_accord_too => prepared(label, None),
        };
        let called = |label: &str| {
            let phone = member.and_then(MemberView::phone)?;
            repair(&format!("{label} : {}", phone.spoken()), format!("tel:{}", phone.as_str()))
        };
        let in_words = reason.repair.clone();
        let (repair, hint) = match reason.code {
            Reason::InformationMissing | Reason::NotFamilyReleased | Reason::AuthorHidden if subject_only => {
                (write_first(), None)
            }
            Reason::AccordNotInForce | Reason::AccordMissing => {
                (prepared("Préparer l'accord", Some(category)), ask_referent)
            }
            Reason::AccordExpired => {
                (prepared("Proposer de renouveler l'accord", Some(category)), ask_referent)
            }
            Reason::AccordTooNarrow => {
                (prepared("Ajouter ce sujet à l'accord", Some(category)), ask_referent)
            }
            Reason::InformationMissing => (prepared("Montrer le texte et faire signer", None), ask_referent),
            Reason::NotFamilyReleased => (validated("Faire valider ces mots"), ask_referent),
            Reason::AuthorHidden => (validated("Faire transmettre par la famille"), None),
            Reason::NotAParticipant if collects => (repair("Inviter", self.frame.at("/inviter")), None),
            Reason::InvitationPending => (called("Relancer"), None),
            Reason::CharterNotSignedPerson | Reason::CharterNotSignedOrganisation => {
                (called("Le lui rappeler"), None)
            }
            Reason::StatuteNotOpen => (repair("Voir « Danger »", self.frame.at("/danger")), None),
            Reason::RefusalNeedsManagerValidation | Reason::ManagerValidationNeeded => {
                (repair("Demander la décision", self.frame.at("/protection")), None)
            }
            Reason::SharingPaused if me == Role::Referent => {
                (repair("Faire le bilan", self.frame.at("/bilan")), None)
            }
            Reason::SharingPaused => (ring("Demander le bilan", leads), None),
            Reason::AssignmentNotInForce => {
                let manager = member.and_then(|m| m.replaced_by_asking.as_ref());
                (ring("Demander qui la remplace", manager.or(leads)), None)
            }
            Reason::NotShared => (repair("Partager", self.share(category, items)), None),
            Reason::ShareEnded => (repair("Le renouveler", self.share(category, items)), None),
            Reason::ItemExpired => {
                // One text is named in the link; of several, each is read again by itself.
                let one = match items {
                    [item] => Some(item),
                    _several => None,
                };
                let here = one.map(|i| self.frame.at(&format!("/informations/{i}/corriger")));
                (here.and_then(|h| repair("La relire et la prolonger", h)), None)
            }
            Reason::Accord
            | Reason::Statute
            | Reason::OwnItem
            | Reason::Member
            | Reason::NotAParticipant
            | Reason::ContributorOnly
            | Reason::CeilingNever
            | Reason::AccordRefused
            | Reason::AccordWithdrawn
            | Reason::PurposeExcludesCategory
            | Reason::StatuteNeedsBothBound
            | Reason::Emergency
            | Reason::EmergencyEnded => (None, None),
        };
        // What cannot be a link stays said.
        let hint = if repair.is_none() { hint.or(in_words) } else { hint };
        Why { sentence: reason.sentence.clone(), repair, hint }
    }

    /// What is missing for one thing, each with its act. Where the charter or the purpose excludes the subject, no other
    /// act repairs anything, and none is offered.
    fn missing(
        &self,
        member: Option<&MemberView>,
        reasons: &[ReasonView],
        category: Category,
        items: &[&ItemId],
        lacks: Lacks,
    ) -> Vec<Why> {
        let excludes =
            |r: &ReasonView| matches!(r.code, Reason::CeilingNever | Reason::PurposeExcludesCategory);
        let excluded = reasons.iter().any(excludes);
        reasons
            .iter()
            .map(|r| {
                if excluded && !excludes(r) {
                    Why { sentence: r.sentence.clone(), repair: None, hint: None }
                } else {
                    self.why(member, r, category, items, lacks)
                }
            })
            .collect()
    }

    /// What one thing lacks to be read by this member; nothing where it will be.
    #[must_use]
    pub fn missing_of(&self, member: &MemberView, pair: &PairView) -> Vec<Why> {
        let items: Vec<&ItemId> = pair.item.iter().collect();
        self.missing(Some(member), &pair.reasons, pair.category, &items, Lacks::of(pair))
    }

    fn line(&self, reader: &ReaderView) -> Line {
        let mut groups: Vec<(Group, Vec<&PairView>)> = Vec::new();
        for pair in &reader.things {
            let same = groups.iter_mut().find(|(_, of)| {
                of.first().is_some_and(|p| {
                    p.will_read == pair.will_read
                        && p.sentence == pair.sentence
                        && p.reasons == pair.reasons
                        && (p.will_read || p.category == pair.category)
                })
            });
            match same {
                Some((group, of)) => {
                    group.labels.push(self.label(pair));
                    of.push(pair);
                }
                None => {
                    let group = Group {
                        yes: pair.will_read,
                        labels: vec![self.label(pair)],
                        sentence: after_verdict(&pair.sentence),
                        regime: match pair.regime {
                            Some(Regime::L226_2_2) if pair.will_read => Some(Regime::L226_2_2.french()),
                            Some(_) | None => None,
                        },
                        why: Vec::new(),
                    };
                    groups.push((group, vec![pair]));
                }
            }
        }
        for (group, of) in &mut groups {
            let Some(first) = of.first() else { continue };
            let items: Vec<&ItemId> = of.iter().filter_map(|pair| pair.item.as_ref()).collect();
            let lacks = Lacks::of(first);
            if !first.will_read {
                group.why = self.missing(Some(&reader.member), &first.reasons, first.category, &items, lacks);
            }
        }
        let some = reader.things.iter().any(|p| p.will_read);
        let verdict = match (reader.will_read_all, some) {
            (true, _) => Verdict::All,
            (false, true) => Verdict::Part,
            (false, false) => Verdict::Nothing,
        };
        let read: Vec<&str> = reader
            .things
            .iter()
            .filter(|p| p.will_read)
            .filter_map(|p| p.item.as_ref())
            .map(ItemId::as_str)
            .collect();
        let narrower = (verdict == Verdict::Part && !read.is_empty())
            .then(|| self.frame.at(&format!("/partager?item={}{}", read.join("."), self.rest)));
        Line {
            member: reader.member.clone(),
            verdict,
            groups: groups.into_iter().map(|(g, _)| g).collect(),
            narrower,
        }
    }

    /// Those who would read first, then the others, each in the order of names.
    #[must_use]
    pub fn lines(&self, preview: &PreviewView) -> Vec<Line> {
        let mut lines: Vec<Line> = preview.readers.iter().map(|r| self.line(r)).collect();
        lines.sort_by_key(|l| match l.verdict {
            Verdict::All => 0,
            Verdict::Part => 1,
            Verdict::Nothing => 2,
        });
        lines
    }

    /// What the charter alone says of somebody who is not in the circle.
    #[must_use]
    pub fn elsewhere(&self, answers: &[CharterAnswer]) -> Vec<Elsewhere> {
        let mut out: Vec<Elsewhere> = Vec::new();
        for a in answers {
            let said = Elsewhere {
                category: a.category,
                possible: a.possible,
                needs: a.needs.map(|l| l.french()),
                needs_release: a.needs_release,
                // Somebody who may receive nothing is not to be invited for it.
                why: {
                    let invited = |r: &&ReasonView| a.possible || r.code != Reason::NotAParticipant;
                    let reasons: Vec<ReasonView> = a.reasons.iter().filter(invited).cloned().collect();
                    self.missing(None, &reasons, a.category, &[], Lacks::Accord)
                },
            };
            if !out.contains(&said) {
                out.push(said);
            }
        }
        out
    }
}

/// The charter's answer, about one subject.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Elsewhere {
    pub category: Category,
    pub possible: bool,
    pub needs: Option<&'static str>,
    pub needs_release: bool,
    pub why: Vec<Why>,
}

#[cfg(test)]
pub mod sample;
#[cfg(test)]
mod tests;
