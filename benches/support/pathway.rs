//! The facts of a well-filled pathway, through the public API: a circle of eight, twelve accords, sixty items, twenty
//! shares. A sixteen-year-old and two parents who signed everything on paper.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use chrono::NaiveDate;
use relais::access::facts::{
    AssignmentFacts, ItemFacts, ItemKind, ParticipationFacts, PathwayFacts, ShareFacts, ShareRecipient,
    VersionFacts,
};
use relais::access::{CharterBook, Edition, Existence};
use relais::charter::Charter;
use relais::clock::{Chance, NoChance, Timestamp};
use relais::domain::accord::{
    Accord, AccordDraft, AccordFacts, Event, EventKind, How, Language, Line, LineKind, NoticeMark, Opinion,
    ShownVersion, Signatory, Signed, Verification,
};
use relais::domain::person::{HolderDraft, HolderFacts, PersonFacts, Reference};
use relais::domain::vocabulary::{
    Capacity, Category, Function, Mandate, Profession, Purpose, Role, Secrecy, Step,
};
use relais::ids::{
    AccordId, AccordLineId, AssignmentId, CharterId, HolderId, ItemId, ItemVersionId, MissionId,
    OrganisationId, ParticipationId, PathwayId, ProfessionalId, ShareId,
};

/// Ids in a row, so that every run has the same pathway.
pub struct Counted(AtomicU64);

impl Counted {
    pub const fn new() -> Self {
        Self(AtomicU64::new(1))
    }
}

impl Chance for Counted {
    fn fill(&self, into: &mut [u8]) -> Result<(), NoChance> {
        let n = self.0.fetch_add(1, Ordering::Relaxed).wrapping_mul(0x9E37_79B9_7F4A_7C15);
        for (place, byte) in into.iter_mut().zip(n.to_le_bytes().into_iter().cycle()) {
            *place = byte;
        }
        Ok(())
    }
}

/// The pathway, the charter and the moment at which it is asked.
pub struct World {
    pub facts: PathwayFacts,
    pub book: CharterBook,
    pub now: Timestamp,
}

const ACCORDS: usize = 12;
const ITEMS: usize = 60;
const SHARES: usize = 20;

/// (profession, secrecy, mandate, role)
const CIRCLE: [(Profession, Secrecy, Mandate, Role); 8] = {
    use Profession as P;
    let (bound, free) = (Secrecy::Bound, Secrecy::NotBound);
    [
        (P::ReferentPre, bound, Mandate::Contractual, Role::Referent),
        (P::SpecialisedPrevention, bound, Mandate::Contractual, Role::Participant),
        (P::Aemo, bound, Mandate::Judicial, Role::Participant),
        (P::Teacher, free, Mandate::Contractual, Role::Participant),
        (P::SchoolSocialWorker, bound, Mandate::Contractual, Role::Participant),
        (P::SchoolHealth, bound, Mandate::Contractual, Role::Participant),
        (P::MissionLocale, free, Mandate::Contractual, Role::Participant),
        (P::StayOrganiser, free, Mandate::Contractual, Role::StayOrganiser),
    ]
};

/// Half the items and shares are of coordination, the others of three other purposes.
const PURPOSES: [Purpose; 6] = [
    Purpose::Coordination,
    Purpose::Schooling,
    Purpose::Coordination,
    Purpose::Stay,
    Purpose::Coordination,
    Purpose::Integration,
];

const CATEGORIES: [Category; 10] = [
    Category::Schooling,
    Category::Housing,
    Category::Leisure,
    Category::Family,
    Category::Integration,
    Category::Practical,
    Category::HealthMinimal,
    Category::Mobility,
    Category::Judicial,
    Category::Identity,
];

fn day(month: u32, day: u32) -> NaiveDate {
    NaiveDate::from_ymd_opt(2027, month, day).unwrap()
}

fn noon(on: NaiveDate) -> Timestamp {
    Timestamp::paris_midnight(on).plus_seconds(12 * 3600)
}

fn circle(chance: &Counted, charter: &CharterId) -> Vec<ParticipationFacts> {
    let began = noon(day(1, 4));
    let mut referent = None;
    CIRCLE
        .iter()
        .map(|&(profession, secrecy, mandate, role)| {
            let id = ParticipationId::random(chance).unwrap();
            let invited_by = referent.clone();
            referent.get_or_insert_with(|| id.clone());
            ParticipationFacts {
                id,
                version: 1,
                assignment: AssignmentFacts {
                    id: AssignmentId::random(chance).unwrap(),
                    version: 1,
                    professional: ProfessionalId::random(chance).unwrap(),
                    organisation: OrganisationId::random(chance).unwrap(),
                    mission: MissionId::random(chance).unwrap(),
                    profession,
                    function: Function::Practitioner,
                    stated_secrecy: secrecy,
                    secrecy_until: None,
                    starts_at: began,
                    ends_at: None,
                    confirmed: true,
                    account_confirmed: true,
                    signed: vec![charter.clone()],
                },
                mandate,
                role,
                existence: Existence::of(profession, mandate),
                invited_by,
                invited_at: began,
                accepted_at: Some(began),
                ended_at: None,
                until_at: None,
                stands_in_for: None,
            }
        })
        .collect()
}

fn items(chance: &Counted, members: &[ParticipationFacts]) -> Vec<ItemFacts> {
    (0..ITEMS)
        .map(|n| {
            let author = &members[n % members.len()];
            let versions = (1..=1 + i64::from(n % 3 == 0))
                .map(|number| VersionFacts {
                    id: ItemVersionId::random(chance).unwrap(),
                    number,
                    author_secrecy: author.assignment.stated_secrecy,
                    created_at: noon(day(1, 11)),
                    valid_from: noon(day(1, 11)),
                    valid_until: None,
                    erased: false,
                })
                .collect();
            ItemFacts {
                id: ItemId::random(chance).unwrap(),
                version: 1,
                kind: ItemKind::Item,
                category: CATEGORIES[n % CATEGORIES.len()],
                subjects: Vec::new(),
                for_stay: false,
                author: author.id.clone(),
                author_assignment: author.assignment.id.clone(),
                versions,
            }
        })
        .collect()
}

/// The versions that the n-th share and the n-th notice are about.
fn chosen(items: &[ItemFacts], n: usize) -> impl Iterator<Item = &ItemFacts> {
    items.iter().skip(n % 7).step_by(7)
}

fn accord(
    chance: &Counted,
    n: usize,
    members: &[ParticipationFacts],
    items: &[ItemFacts],
    holders: &[HolderFacts],
    charter: &Charter,
) -> Accord {
    let purpose = PURPOSES[n % PURPOSES.len()];
    let signed_on = day(2, 1);
    // The first names the whole circle, as the meeting that made it did; the others name four each.
    let wide = if n == 0 { members.len() } else { 4 };
    let lines: Vec<Line> = members
        .iter()
        .cycle()
        .skip(n)
        .take(wide)
        .enumerate()
        .map(|(place, member)| Line {
            id: AccordLineId::random(chance).unwrap(),
            recipient: member.assignment.recipient_key(),
            only_assignment: None,
            kind: LineKind::Recipient,
            categories: CATEGORIES
                .iter()
                .copied()
                .filter(|c| charter.matrix().purpose_carries(purpose, *c))
                .skip(place % 2)
                .take(5)
                .collect(),
            shown: chosen(items, n)
                .take(if place < 2 { 3 } else { 0 })
                .filter_map(|i| Some(ShownVersion { version: i.current()?.id.clone(), category: i.category }))
                .collect(),
            services: BTreeSet::new(),
        })
        .collect();
    let boxes: BTreeSet<AccordLineId> = lines.iter().map(|l| l.id.clone()).collect();
    let sign = |by: Signatory| {
        EventKind::Signed(Signed {
            by,
            how: How::Paper { original_at: Reference::new("dossier 12").unwrap() },
            verified: Verification::Known,
            lines: boxes.clone(),
            on: signed_on,
        })
    };
    let mut kinds =
        vec![EventKind::Printed, EventKind::Opinion { opinion: Opinion::Favourable, on: signed_on }];
    kinds.extend(holders.iter().map(|h| sign(Signatory::Holder(h.id().clone()))));
    kinds.push(sign(Signatory::YoungPerson));
    // Two of the twelve were taken back since.
    if n % 6 == 5 {
        kinds.push(EventKind::Withdrawn {
            by: Signatory::YoungPerson,
            scope: relais::domain::accord::Scope::Sheet,
        });
    }
    let events = (0..)
        .zip(kinds)
        .map(|(seq, kind)| Event::new(noon(signed_on).plus_seconds(i64::from(seq)), seq, kind).unwrap())
        .collect();
    let referent = &members[0].assignment;
    let draft = AccordDraft {
        id: AccordId::random(chance).unwrap(),
        purpose,
        starts: signed_on,
        ends: day(12, 1),
        language: Language::parse("fr").unwrap(),
        interpreter: None,
        collected_by: referent.id.clone(),
        collector: referent.recipient_key(),
        notice: NoticeMark::new("2027-1", &"ab".repeat(32)).unwrap(),
        lines,
        replaces: None,
    };
    Accord::new(AccordFacts::try_from(draft).unwrap(), events)
}

fn share(chance: &Counted, n: usize, members: &[ParticipationFacts], items: &[ItemFacts]) -> ShareFacts {
    ShareFacts {
        id: ShareId::random(chance).unwrap(),
        version: 1,
        sharer: members[n % members.len()].id.clone(),
        purpose: PURPOSES[n % PURPOSES.len()],
        starts: noon(day(2, 2)),
        ends: noon(day(9, 1)),
        ended_at: None,
        category: None,
        versions: chosen(items, n).filter_map(|i| Some(i.current()?.id.clone())).collect(),
        recipients: members
            .iter()
            .cycle()
            .skip(n + 1)
            .take(4)
            .map(|m| ShareRecipient { participation: m.id.clone(), statute: None, ended_at: None })
            .collect(),
        handover: None,
        departure: None,
    }
}

impl World {
    pub fn new() -> Self {
        let chance = &Counted::new();
        let charter = Arc::new(Charter::embedded_demo().unwrap());
        let charter_id = CharterId::random(chance).unwrap();
        let participations = circle(chance, &charter_id);
        let items = items(chance, &participations);
        let holders: Vec<HolderFacts> = (0..2)
            .map(|_| {
                HolderFacts::new(HolderDraft {
                    id: HolderId::random(chance).unwrap(),
                    capacity: Capacity::Parent,
                    from: NaiveDate::from_ymd_opt(2010, 10, 10).unwrap(),
                    until: None,
                    organisation: None,
                    proof: Some(Reference::new("livret de famille").unwrap()),
                })
                .unwrap()
            })
            .collect();
        let accords =
            (0..ACCORDS).map(|n| accord(chance, n, &participations, &items, &holders, &charter)).collect();
        let shares = (0..SHARES).map(|n| share(chance, n, &participations, &items)).collect();
        let effective_at = noon(day(1, 1));
        let book = CharterBook::new(
            1,
            vec![Edition {
                id: charter_id,
                number: 1,
                published_at: effective_at,
                effective_at,
                matrix: Arc::new(charter.matrix().clone()),
                charter,
                signed_by: participations.iter().map(|p| p.assignment.organisation.clone()).collect(),
            }],
        );
        let facts = PathwayFacts {
            id: PathwayId::random(chance).unwrap(),
            version: 1,
            lead: participations[0].assignment.organisation.clone(),
            step: Step::Accompaniment,
            review_on: None,
            opened_at: effective_at,
            closed_at: None,
            person: PersonFacts::new(NaiveDate::from_ymd_opt(2010, 10, 10), None, false).unwrap(),
            holders,
            impossibilities: Vec::new(),
            requests: Vec::new(),
            participations,
            accords,
            releases: Vec::new(),
            standing: Vec::new(),
            statutes: Vec::new(),
            shares,
            items,
            handovers: Vec::new(),
            deferrals: Vec::new(),
            emergencies: Vec::new(),
        };
        Self { facts, book, now: noon(day(3, 2)) }
    }
}
