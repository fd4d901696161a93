//! The decision, timed: gates 5 to 7 on the 700 rows of the decision table, beside casbin and cedar-policy on the same
//! rows in the same run; then all eight gates, cold, on the facts of a whole pathway.
//!
//! Nothing is timed before every engine has given the expected answer on every row. Rounds alternate between engines, so
//! that a noisy neighbour slows all of them. `cargo bench --bench decision`.

#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::print_stdout,
    clippy::disallowed_methods,
    reason = "a benchmark reads the machine's clock, prints, and stops when anything is not as it must be"
)]

#[path = "support/pathway.rs"]
mod pathway;
#[path = "support/peers.rs"]
mod peers;
#[path = "support/timing.rs"]
mod timing;

use std::collections::BTreeMap;
use std::hint::black_box;

use cedar_policy::Request;
use relais::access::facts::{ItemFacts, ParticipationFacts};
use relais::access::{Decision, Mode, Question, decide_item, may_know, reads_every_existence};
use relais::charter::base::Base;
use relais::charter::{Matrix, judge};
use relais::clock::Timestamp;
use relais::domain::accord::{AccordQuery, accord_fact, named};
use relais::domain::cell::{AccordFact, StatuteFact, TableFacts};
use relais::domain::release::{ReleaseQuery, released};
use relais::domain::vocabulary::{Category, Profession, Purpose, Secrecy};

use pathway::World;
use peers::{Casbin, Cedar};
use timing::{Spread, human, per_call};

const TABLE: &str = include_str!("../policies/decision-table.csv");
const ROUNDS: usize = 15;

struct Row {
    facts: TableFacts,
    permit: bool,
    because: String,
}

fn table() -> Vec<Row> {
    let mut reader = csv::Reader::from_reader(TABLE.as_bytes());
    reader
        .records()
        .map(|record| {
            let r = record.unwrap();
            let facts = TableFacts {
                recipient_profession: Profession::parse(&r[0]).unwrap(),
                recipient_secrecy: Secrecy::parse(&r[1]).unwrap(),
                author_secrecy: Secrecy::parse(&r[2]).unwrap(),
                category: Category::parse(&r[3]).unwrap(),
                purpose: Purpose::parse(&r[4]).unwrap(),
                accord: AccordFact::parse(&r[5]).unwrap(),
                family_released: &r[6] == "yes",
                statute: StatuteFact::parse(&r[7]).unwrap(),
            };
            Row { facts, permit: &r[8] == "permit", because: r[9].to_owned() }
        })
        .collect()
}

/// An order in which neighbours have nothing in common, the same in every run.
fn shuffled(rows: usize) -> Vec<usize> {
    let mut order: Vec<usize> = (0..rows).collect();
    let mut state = 0x2545_F491_4F6C_DD1D_u64;
    for last in (1..rows).rev() {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        let bound = u64::try_from(last + 1).unwrap();
        order.swap(last, usize::try_from(state % bound).unwrap());
    }
    order
}

/// One engine, and what each row took in each round.
struct Timed<'a> {
    name: &'static str,
    times: u32,
    decide: Box<dyn Fn(usize) + 'a>,
    rows: Vec<Vec<f64>>,
}

impl<'a> Timed<'a> {
    /// `times` calls are timed together: as many as a short stretch holds, so that few stretches are interrupted.
    fn new(name: &'static str, times: u32, decide: impl Fn(usize) + 'a) -> Self {
        Self { name, times, decide: Box::new(decide), rows: Vec::new() }
    }

    fn round(&mut self, order: &[usize]) {
        self.rows.resize_with(order.len(), Vec::new);
        for &row in order {
            self.rows[row].push(per_call(self.times, || (self.decide)(row)));
        }
    }

    /// The median of the rounds, of each row.
    fn medians(&self) -> Vec<f64> {
        self.rows.iter().map(|rounds| Spread::of(rounds.clone()).median).collect()
    }
}

fn mean(values: &[f64]) -> f64 {
    values.iter().sum::<f64>() / f64::from(u32::try_from(values.len()).unwrap())
}

fn decision_table() {
    let rows = table();
    assert_eq!(rows.len(), 700);
    let base = Base::embedded().unwrap();
    let matrix = Matrix::ceiling().unwrap();
    let (casbin, cedar) = (Casbin::over_the_ceiling(&base), Cedar::over_the_ceiling(&base));
    let requests: Vec<Request> = rows.iter().map(|r| cedar.request(&r.facts)).collect();

    let mut questions = 0;
    for (row, request) in rows.iter().zip(&requests) {
        let ours = judge(&matrix, &row.facts);
        assert_eq!(
            (ours.permitted, ours.reason.code()),
            (row.permit, row.because.as_str()),
            "{:?}",
            row.facts
        );
        assert_eq!(casbin.permits(&row.facts), row.permit, "casbin on {:?}", row.facts);
        assert_eq!(cedar.permits(&row.facts, request).0, row.permit, "cedar on {:?}", row.facts);
        questions += casbin.questions(&row.facts);
    }
    let permits = rows.iter().filter(|r| r.permit).count();
    println!(
        "decision table: {} rows, {permits} permits; all three engines give the expected answer on each",
        rows.len()
    );
    println!(
        "casbin: at most {} rules per enforcer, {questions} questions in all; cedar: at most {} policies per set",
        casbin.rules(),
        cedar.policies()
    );

    let order = shuffled(rows.len());
    let ours = |n: usize| {
        black_box(judge(black_box(&matrix), black_box(&rows[n].facts)));
    };
    let mut passes = Vec::new();
    let mut engines = [
        Timed::new("relais: decision, reason, every failing gate", 1_000, ours),
        Timed::new("cedar-policy: decision, ids of the deciding policies; request built before", 1, |n| {
            black_box(cedar.permits(black_box(&rows[n].facts), &requests[n]));
        }),
        Timed::new("cedar-policy: the same, request built from the facts", 1, |n| {
            black_box(cedar.permits(black_box(&rows[n].facts), &cedar.request(&rows[n].facts)));
        }),
        Timed::new("casbin: decision alone, no reason", 1, |n| {
            black_box(casbin.permits(black_box(&rows[n].facts)));
        }),
    ];
    for _ in 0..ROUNDS {
        for engine in &mut engines {
            engine.round(&order);
        }
        // No row twice in a row: what repeating one row in a tight loop teaches the processor does not help here.
        for _ in 0..50 {
            passes.push(per_call(1, || order.iter().for_each(|&n| ours(n))) / 700.0);
        }
    }

    let floor = mean(&engines[0].medians());
    println!("\n| engine | row: min | row: median | row: max | mean of the table | ratio |");
    println!("|---|---|---|---|---|---|");
    for engine in &engines {
        let medians = engine.medians();
        let (whole, row) = (mean(&medians), Spread::of(medians));
        println!(
            "| {} | {} | {} | {} | {} | {:.0} |",
            engine.name,
            human(row.min),
            human(row.median),
            human(row.max),
            human(whole),
            whole / floor,
        );
    }
    let pass = Spread::of(passes);
    println!(
        "\nrelais, the whole table in shuffled order, per row: median {} (min {}, max {} over {} passes)",
        human(pass.median),
        human(pass.min),
        human(pass.max),
        ROUNDS * 50
    );
    let slowest = Spread::of(engines[0].medians()).max.max(pass.median);
    println!(
        "bar: slowest row and median pass under 1 µs: {} ({})",
        verdict(slowest < 1_000.0),
        human(slowest)
    );
}

fn verdict(held: bool) -> &'static str {
    if held { "held" } else { "MISSED" }
}

/// Every reader on every item, for a purpose of some share of it, else for coordination.
fn questions(world: &World) -> Vec<(&ParticipationFacts, &ItemFacts, Purpose)> {
    let mut asked = Vec::new();
    for reader in &world.facts.participations {
        for item in &world.facts.items {
            let version = item.current().unwrap();
            let purpose = world
                .facts
                .shares
                .iter()
                .find(|s| {
                    s.versions.contains(&version.id)
                        && s.recipients.iter().any(|r| r.participation == reader.id)
                })
                .map_or(Purpose::Coordination, |s| s.purpose);
            asked.push((reader, item, purpose));
        }
    }
    asked
}

fn decide(world: &World, (reader, item, purpose): (&ParticipationFacts, &ItemFacts, Purpose)) -> Decision {
    decide_item(&Question {
        facts: &world.facts,
        book: &world.book,
        assignment: &reader.assignment,
        participation: Some(reader),
        asker: None,
        item,
        version: item.current().unwrap(),
        purpose: Some(purpose),
        mode: Mode::Read,
        now: world.now,
    })
}

fn whole_pathway() {
    let world = World::new();
    let asked = questions(&world);
    let mut outcomes: BTreeMap<&str, Vec<usize>> = BTreeMap::new();
    for (n, question) in asked.iter().enumerate() {
        outcomes.entry(decide(&world, *question).reason.code()).or_default().push(n);
    }
    println!(
        "\nall eight gates, cold: {} participations, {} accords, {} items, {} shares; {} questions",
        world.facts.participations.len(),
        world.facts.accords.len(),
        world.facts.items.len(),
        world.facts.shares.len(),
        asked.len()
    );
    let medians: Vec<f64> = {
        let mut rounds: Vec<Vec<f64>> = vec![Vec::new(); asked.len()];
        for _ in 0..ROUNDS {
            for (question, rounds) in asked.iter().zip(&mut rounds) {
                rounds.push(per_call(1, || {
                    black_box(decide(black_box(&world), *question));
                }));
            }
        }
        rounds.into_iter().map(|r| Spread::of(r).median).collect()
    };
    println!("\n| `decide_item`, by reason | questions | min | median | max |");
    println!("|---|---|---|---|---|");
    let line = |name: &str, times: Vec<f64>| {
        let (count, s) = (times.len(), Spread::of(times));
        println!("| {name} | {count} | {} | {} | {} |", human(s.min), human(s.median), human(s.max));
    };
    for (reason, places) in &outcomes {
        line(reason, places.iter().map(|n| medians[*n]).collect());
    }
    line("all", medians);
    parts(&world, &asked);
}

/// Where the time of a decision goes: the pieces that it is made of, on the same questions.
fn parts(world: &World, asked: &[(&ParticipationFacts, &ItemFacts, Purpose)]) {
    let (facts, book, now) = (&world.facts, &world.book, world.now);
    let file = facts.consent();
    let mut timed: BTreeMap<&str, Vec<f64>> = BTreeMap::new();
    for &(reader, item, purpose) in asked.iter().step_by(3) {
        let version = item.current().unwrap();
        let key = reader.assignment.recipient_key();
        let need = book.editions()[0]
            .matrix
            .cell(reader.assignment.profession, reader.assignment.stated_secrecy, item.category)
            .need();
        let (assignment, category) = (Some(&reader.assignment.id), item.category);
        let query = AccordQuery {
            recipient: &key,
            assignment,
            category,
            purpose,
            item_version: Some(&version.id),
            need,
        };
        let release =
            ReleaseQuery { item_version: &version.id, category, purpose, recipient: &key, assignment };
        let author = facts.participation(&item.author).unwrap();
        let mut put = |name, work: &mut dyn FnMut()| {
            let rounds = (0..ROUNDS).map(|_| per_call(1, &mut *work)).collect();
            timed.entry(name).or_default().push(Spread::of(rounds).median);
        };
        put("gate 1: `book.standing`", &mut || {
            black_box(book.standing(&reader.assignment, now).is_ok());
        });
        put("gate 2: `named`", &mut || {
            black_box(named(&key, assignment, &file, now));
        });
        put("gate 6: `accord_fact`", &mut || {
            black_box(accord_fact(&query, &file, now));
        });
        put("gate 7: `released`", &mut || {
            black_box(released(&release, &file, now));
        });
        put("gate 7: `may_know` the author", &mut || {
            black_box(may_know(facts, book, reader, author, now));
        });
        put("« Transmis par la famille »: `reads_every_existence`", &mut || {
            black_box(reads_every_existence(facts, book, reader, now));
        });
    }
    let midnight = Spread::of(
        (0..ROUNDS)
            .map(|_| {
                per_call(500, || {
                    black_box(Timestamp::paris_midnight(black_box(now.paris_day())));
                })
            })
            .collect(),
    );
    timed.insert("one `paris_day` and `paris_midnight`", vec![midnight.median]);
    println!("\n| piece, alone | min | median | max |");
    println!("|---|---|---|---|");
    for (name, times) in timed {
        let s = Spread::of(times);
        println!("| {name} | {} | {} | {} |", human(s.min), human(s.median), human(s.max));
    }
}

fn main() {
    decision_table();
    whole_pathway();
}
