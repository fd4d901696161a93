//! « Lira / ne lira pas », as pages show it: one line per person, the verdict first, each missing link with the act
//! that would repair it as a link. The words come from the services; this only places them.

use crate::domain::cell::Reason;
use crate::domain::vocabulary::{Category, Purpose, Regime, Role};
use crate::ids::ItemId;
use crate::service::members::MemberView;
use crate::service::preview::{CharterAnswer, PairView, PreviewView, ReaderView, ReasonView};
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
        if pair.item.is_none() {
            Self::Text
        } else if pair.reasons.iter().all(|r| r.code == Reason::NotFamilyReleased) {
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
        let ask_referent = match (&self.frame.view.referent, me) {
            (Some(r), Role::Participant | Role::ContributorOnly) => {
                Some(format!("Ou demandez au référent : {}, {}.", r.who.name, words::telephone(&r.telephone)))
            }
            (Some(_) | None, _) => None,
        };
        let repair = |label: &str, href: String| Some(Repair { label: label.to_owned(), href });
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
            Reason::InformationMissing | Reason::NotFamilyReleased if subject_only => (write_first(), None),
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
            | Reason::SharingPaused
            | Reason::AssignmentNotInForce
            | Reason::ContributorOnly
            | Reason::NotShared
            | Reason::ShareEnded
            | Reason::CeilingNever
            | Reason::AccordRefused
            | Reason::AccordWithdrawn
            | Reason::PurposeExcludesCategory
            | Reason::StatuteNeedsBothBound
            | Reason::AuthorHidden
            | Reason::Emergency
            | Reason::EmergencyEnded => (None, None),
        };
        // What cannot be a link stays said.
        let hint = if repair.is_none() { hint.or(in_words) } else { hint };
        Why { sentence: reason.sentence.clone(), repair, hint }
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
            group.why = first
                .reasons
                .iter()
                .filter(|_| !first.will_read)
                .map(|r| self.why(Some(&reader.member), r, first.category, &items, lacks))
                .collect();
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
                why: a
                    .reasons
                    .iter()
                    .filter(|r| a.possible || r.code != Reason::NotAParticipant)
                    .map(|r| self.why(None, r, a.category, &[], Lacks::Accord))
                    .collect(),
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

/// Members and answers for samples.
#[cfg(test)]
pub mod sample {
    use super::*;
    use crate::domain::day::Day;
    use crate::domain::vocabulary::{Profession, Secrecy};
    use crate::ids::{ItemVersionId, MissionId, OrganisationId, ParticipationId};

    fn letters(c: char) -> String {
        // 26 letters hold two bits more than an id: the last one is the first of the alphabet.
        std::iter::repeat_n(c, 25).chain(['a']).collect()
    }

    pub fn item_id(c: char) -> ItemId {
        ItemId::parse(&letters(c)).unwrap()
    }

    pub fn version_id(c: char) -> ItemVersionId {
        ItemVersionId::parse(&letters(c)).unwrap()
    }

    pub fn member(c: char, name: &str, profession: Profession, secrecy: Secrecy) -> MemberView {
        MemberView {
            participation: ParticipationId::parse(&letters(c)).unwrap(),
            name: name.to_owned(),
            organisation_id: OrganisationId::parse(&letters('a')).unwrap(),
            mission_id: MissionId::parse(&letters('a')).unwrap(),
            organisation: "Collège Jean-Moulin".to_owned(),
            profession,
            mission: "Enseignement".to_owned(),
            secrecy,
            secrecy_basis: "Aucun texte".to_owned(),
            stated_by: Some("Inès Roche".to_owned()),
            confirmed_by: None,
            charter_signed: true,
            telephone: Some("0601020304".to_owned()),
            accountable: None,
        }
    }

    pub fn yes(c: char) -> PairView {
        PairView {
            item: Some(item_id(c)),
            version: Some(version_id(c)),
            category: Category::Schooling,
            will_read: true,
            sentence: "Lira jusqu'au 14 juin 2027, avec l'accord signé le 2 mars.".to_owned(),
            until: Day::parse("2027-06-14").ok(),
            regime: Some(Regime::Accord),
            reasons: Vec::new(),
        }
    }

    pub fn no(c: char, category: Category, code: Reason) -> PairView {
        use crate::domain::explain::{Context, repair_line, sentence};
        let context = Context { purpose: Some(Purpose::Schooling), ..Context::default() };
        let said = sentence(code, &context);
        PairView {
            item: Some(item_id(c)),
            version: Some(version_id(c)),
            category,
            will_read: false,
            sentence: said.clone(),
            until: None,
            regime: None,
            reasons: vec![ReasonView { code, sentence: said, repair: repair_line(code, &context) }],
        }
    }

    pub fn reader(member: MemberView, things: Vec<PairView>) -> ReaderView {
        ReaderView { will_read_all: things.iter().all(|t| t.will_read), member, things }
    }

    /// A teacher who reads all, an AEMO educator who reads one, a camp director who reads nothing.
    pub fn preview() -> PreviewView {
        let teacher = member('b', "Julie Lambert", Profession::Teacher, Secrecy::NotBound);
        let aemo = member('c', "Claire Morel", Profession::Aemo, Secrecy::Bound);
        let director = member('d', "Paul Girard", Profession::StayOrganiser, Secrecy::NotBound);
        PreviewView {
            purpose: Purpose::Schooling,
            readers: vec![
                reader(aemo, vec![yes('a'), no('b', Category::Housing, Reason::AccordTooNarrow)]),
                reader(teacher, vec![yes('a'), PairView { item: Some(item_id('b')), ..yes('b') }]),
                reader(
                    director,
                    vec![
                        no('a', Category::Schooling, Reason::CeilingNever),
                        no('b', Category::Housing, Reason::CeilingNever),
                    ],
                ),
            ],
            hypothetical: Vec::new(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::web::pages::frame::{Part, sample::frame, sample::frame_as};

    fn about<'a>(frame: &'a Frame, labels: &'a [(ItemId, String)]) -> About<'a> {
        About { frame, purpose: Purpose::Schooling, labels, rest: "&purpose=schooling" }
    }

    #[test]
    fn a_line_says_the_verdict_first_and_each_missing_link_with_its_act() {
        let (_, frame) = frame(Part::Other, "Partager");
        let labels = vec![(sample::item_id('b'), "Chambre".to_owned())];
        let lines = about(&frame, &labels).lines(&sample::preview());
        let said: Vec<_> = lines.iter().map(|l| (l.member.name.as_str(), l.verdict)).collect();
        assert_eq!(
            said,
            [
                ("Julie Lambert", Verdict::All),
                ("Claire Morel", Verdict::Part),
                ("Paul Girard", Verdict::Nothing)
            ]
        );
        assert_eq!(lines[0].groups.len(), 1, "what is the same is said once");
        assert_eq!(lines[0].groups[0].sentence, "Jusqu'au 14 juin 2027, avec l'accord signé le 2 mars.");
        let part = &lines[1];
        assert!(part.differs() && part.reports().unwrap().contains("juge"));
        assert_eq!(part.groups[1].labels, ["Chambre"]);
        let repair = part.groups[1].why[0].repair.as_ref().unwrap();
        assert_eq!(repair.label, "Ajouter ce sujet à l'accord");
        for piece in ["/accords/preparer?purpose=schooling", "&category=housing", ".aemo.", "&item=bbbb"] {
            assert!(repair.href.contains(piece), "{}", repair.href);
        }
        assert!(part.narrower.as_ref().unwrap().ends_with("aaa&purpose=schooling"));
        // Nothing repairs the ceiling: said in words, no link.
        let never = &lines[2].groups[0].why[0];
        assert!(never.repair.is_none() && never.hint.is_some());
    }

    #[test]
    fn every_reason_of_a_refusal_has_an_act_or_a_word_where_one_exists() {
        let (_, frame) = frame_as(Role::Participant, Part::Other, "Partager");
        let about = about(&frame, &[]);
        let somebody = sample::member(
            'b',
            "Julie",
            crate::domain::vocabulary::Profession::Teacher,
            crate::domain::vocabulary::Secrecy::NotBound,
        );
        for code in Reason::ALL {
            let pair = sample::no('a', Category::Schooling, *code);
            let item = sample::item_id('a');
            let why =
                about.why(Some(&somebody), &pair.reasons[0], Category::Schooling, &[&item], Lacks::Accord);
            let expected = crate::domain::explain::repair(*code).is_some();
            assert_eq!(why.repair.is_some() || why.hint.is_some(), expected, "{code:?}");
        }
    }

    #[test]
    fn where_nothing_is_written_the_words_come_first() {
        let (_, frame) = frame(Part::Other, "Partager");
        let pair = sample::no('a', Category::Schooling, Reason::NotFamilyReleased);
        let why = about(&frame, &[]).why(None, &pair.reasons[0], Category::Schooling, &[], Lacks::Text);
        assert!(why.repair.unwrap().href.ends_with("/ecrire?category=schooling"));
    }

    #[test]
    fn what_the_family_must_validate_comes_ticked_and_asks_for_nothing_more() {
        let (_, frame) = frame(Part::Other, "Partager");
        let about = about(&frame, &[]);
        let teacher = || {
            let (profession, secrecy) = (
                crate::domain::vocabulary::Profession::Teacher,
                crate::domain::vocabulary::Secrecy::NotBound,
            );
            sample::member('b', "Julie", profession, secrecy)
        };
        let no = |c, code| sample::no(c, Category::Schooling, code);
        let href = |things: Vec<PairView>| {
            let line = about.line(&sample::reader(teacher(), things));
            line.groups[0].why[0].repair.as_ref().unwrap().href.clone()
        };
        let (a, b) = (sample::item_id('a'), sample::item_id('b'));
        let one = href(vec![no('a', Reason::NotFamilyReleased)]);
        assert!(one.contains(&format!("/validations/preparer?item={a}&recipient=")), "{one}");
        let both = href(vec![no('a', Reason::NotFamilyReleased), no('b', Reason::NotFamilyReleased)]);
        assert!(both.contains("/accords/preparer?") && both.ends_with(&format!("&item={a}.{b}")), "{both}");
        assert!(!both.contains("category="), "the words, not the whole subject: {both}");
        // An accord is lacking too: its sheet shows the words, and the family signs once.
        let mut pair = no('a', Reason::NotFamilyReleased);
        pair.reasons.extend(no('a', Reason::AccordNotInForce).reasons);
        assert!(href(vec![pair]).contains("/accords/preparer?"));
    }

    #[test]
    fn a_contributor_is_offered_no_accord_to_collect() {
        let (_, frame) = frame_as(Role::ContributorOnly, Part::Other, "Partager");
        let pair = sample::no('a', Category::Schooling, Reason::AccordNotInForce);
        let why = about(&frame, &[]).why(None, &pair.reasons[0], Category::Schooling, &[], Lacks::Accord);
        assert!(why.repair.is_none() && why.hint.unwrap().contains("référent"));
    }

    #[test]
    fn what_the_verdict_says_is_not_said_twice() {
        assert_eq!(after_verdict("Lira jusqu'au 14 mars 2027."), "Jusqu'au 14 mars 2027.");
        assert_eq!(after_verdict("Lira, avec l'accord de la famille."), "Avec l'accord de la famille.");
        assert_eq!(after_verdict("Il n'y a pas d'accord."), "Il n'y a pas d'accord.");
    }
}
