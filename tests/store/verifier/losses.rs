//! Declared losses (ADR 0012): both verifiers follow the name that the log has, tell the loss, and find what a dishonest
//! declaration hides.

use relais::audit::gap::Gap;
use relais::audit::lane::{LaneThread, Priority};
use relais::audit::note::VerifierKey;
use relais::audit::tree::Frontier;
use relais::audit::verify::{Flaw, Trust, verify};
use relais::audit::{Job, Lane, PseudonymKey, Record};
use relais::clock::Clock;
use relais::crypto::SystemChance;
use relais::domain::record::{Action, ActorStamp, RecordDraft, ResourceKind, RetentionClass, Verdict};
use relais::ids::{ProfessionalId, RequestId};
use relais::store::WriteTx;

use super::batch::Batch;
use super::logs::{Export, Fitted};
use super::{Log, frontier};
use crate::support::{Bed, Engine, Under};

const KEPT: usize = 8;
const LOST: u64 = 11;

struct World {
    bed: Bed,
    lane: Lane<WriteTx>,
    thread: Option<LaneThread<WriteTx>>,
    old: Log,
    new: Log,
    request: RequestId,
    people: [ProfessionalId; 2],
    /// What was lost, and is here only to be attested.
    before: Vec<String>,
}

impl Drop for World {
    fn drop(&mut self) {
        if let Some(thread) = self.thread.take() {
            thread.stop();
        }
    }
}

/// A record as it is hashed; where it stood in the log that made it does not matter.
fn text(bed: &Bed, lane: &Lane<WriteTx>, record: Record) -> String {
    let at = lane.record(Priority::Session, Job::new(record)).wait().unwrap().first_index();
    bed.store.snapshot().unwrap().log_body(i64::try_from(at).unwrap()).unwrap().unwrap()
}

impl World {
    fn new() -> Self {
        let chance = SystemChance::new();
        let bed = Bed::new(Engine::Sqlite);
        let (lane, thread) = bed.lane();
        let ordinary =
            |n: u64| -> Vec<String> { (0..n).map(|_| text(&bed, &lane, bed.some_record())).collect() };
        let before = ordinary(LOST + 2);
        Self {
            old: Log::new("relais.example/journal"),
            new: Log::new("relais.example/journal/2"),
            request: RequestId::random(&chance).unwrap(),
            people: [(), ()].map(|()| ProfessionalId::random(&chance).unwrap()),
            bed,
            lane,
            thread: Some(thread),
            before,
        }
    }

    fn lost(&self, size: u64) -> Frontier {
        frontier(&self.before[..usize::try_from(size).unwrap()])
    }

    /// A checkpoint of before the loss.
    fn attested(&self, size: u64) -> String {
        self.old.sign(&self.before[..usize::try_from(size).unwrap()])
    }

    fn gap(&self) -> Gap {
        Gap {
            index: u64::try_from(KEPT).unwrap(),
            at: self.bed.clock.now(),
            lost: self.old.origin.clone(),
            lost_size: LOST,
            lost_root: self.lost(LOST).root(),
            origin: self.new.origin.clone(),
            log_key: self.new.vkey().to_string(),
        }
    }

    /// One of the two records.
    fn declared(&self, gap: &Gap, person: usize, change: fn(&mut RecordDraft)) -> String {
        let mut draft = RecordDraft::new(
            self.request.clone(),
            RetentionClass::Disclosure,
            Action::AcceptGap,
            ResourceKind::Checkpoint,
            Verdict::Permit,
        );
        draft.actor = Some(ActorStamp {
            professional: self.people[person].clone(),
            assignment: None,
            organisation: None,
            profession: None,
            function: None,
            secrecy: None,
            session: None,
        });
        draft.basis = gap.basis();
        change(&mut draft);
        let pseudonyms =
            PseudonymKey::new(RetentionClass::Disclosure, 2027, zeroize::Zeroizing::new([9; 32]));
        let sealer = Under(self.bed.store.instance_key());
        let record = Record::prepare(&draft, &pseudonyms, &sealer, &SystemChance::new()).unwrap();
        text(&self.bed, &self.lane, record)
    }

    /// The log after the loss, with these two records.
    fn log(&self, first: String, second: Option<String>) -> Export {
        let mut records = self.before[..KEPT].to_vec();
        records.push(first);
        records.extend(second);
        // Written since: the lane's clock never gives one time twice.
        records.extend((0..5).map(|_| text(&self.bed, &self.lane, self.bed.some_record())));
        let note = Some(self.new.sign(&records));
        Export { records, note }
    }

    fn honest(&self) -> Export {
        let gap = self.gap();
        self.log(self.declared(&gap, 0, |_| {}), Some(self.declared(&gap, 1, |_| {})))
    }
}

/// Puts one log to both; `flaw` is what must be found, and none with a loss is told and ends with 3.
fn both(
    batch: &mut Batch,
    name: &str,
    export: &Export,
    keys: &[VerifierKey],
    kept: Option<&str>,
    flaw: Option<Flaw>,
) {
    let trust = Trust { origin: keys[0].name(), keys, given: kept };
    let report = verify(&mut Fitted(export), &trust, &mut |_| {}).unwrap();
    assert_eq!(report.failure.map(|f| f.flaw), flaw, "{name}");
    let file = batch.file(export.text());
    let texts: Vec<String> = keys.iter().map(ToString::to_string).collect();
    let mut arguments = vec!["verify-export", &file];
    for text in &texts {
        arguments.extend(["--key", text]);
    }
    let kept = kept.map(|note| batch.file(note));
    if let Some(kept) = &kept {
        arguments.extend(["--checkpoint", kept]);
    }
    batch.command(name, &arguments, flaw.is_none());
    if flaw.is_none() {
        assert_eq!(report.gaps.len(), 1, "{name}");
        batch.ending(3);
        batch.saying("PERTE DÉCLARÉE à la trace n° 8");
    }
}

#[test]
fn both_verifiers_tell_a_declared_loss_and_find_one_that_hides_more() {
    let w = World::new();
    let mut batch = Batch::new();
    let keys = [w.old.vkey(), w.new.vkey()];
    let honest = w.honest();
    let note = |text: String| Some(text);
    both(&mut batch, "honest", &honest, &keys, None, None);
    for size in [1, 8, 9, 10, LOST] {
        let kept = note(w.attested(size));
        both(
            &mut batch,
            &format!("a checkpoint of before, of {size}"),
            &honest,
            &keys,
            kept.as_deref(),
            None,
        );
    }
    // THREAT: more was there than two people said.
    let beyond = w.attested(LOST + 1);
    both(&mut batch, "beyond", &honest, &keys, Some(&beyond), Some(Flaw::LossUnderstated));
    let mut other = w.before[..usize::try_from(LOST).unwrap()].to_vec();
    other.swap(9, 10);
    let other = w.old.sign(&other);
    both(&mut batch, "another end", &honest, &keys, Some(&other), Some(Flaw::LossUnderstated));
    // What was kept is compared as always.
    let mut edited = w.before[..5].to_vec();
    edited.swap(1, 2);
    let edited = w.old.sign(&edited);
    both(&mut batch, "another beginning", &honest, &keys, Some(&edited), Some(Flaw::CheckpointRoot));
    // Whoever has the old key only sees that the new one is not it.
    both(&mut batch, "the old key alone", &honest, &keys[..1], None, Some(Flaw::CheckpointSignature));
    // Names are those of their time.
    let early = w.new.sign(&w.before[..5]);
    both(
        &mut batch,
        "the new name before its time",
        &honest,
        &keys,
        Some(&early),
        Some(Flaw::CheckpointOrigin),
    );
    let late = Export { note: Some(w.old.sign(&honest.records)), ..honest.clone() };
    both(&mut batch, "the old name after its time", &late, &keys, None, Some(Flaw::CheckpointOrigin));

    // Declarations that are none.
    let gap = w.gap();
    let (first, second) = (|| w.declared(&gap, 0, |_| {}), || w.declared(&gap, 1, |_| {}));
    let form = Some(Flaw::GapForm);
    let alone = w.log(first(), Some(w.declared(&gap, 0, |_| {})));
    both(&mut batch, "one person twice", &alone, &keys, None, form);
    both(&mut batch, "one record", &w.log(first(), None), &keys, None, form);
    let mut cut = w.honest();
    cut.records.truncate(9);
    cut.note = Some(w.new.sign(&cut.records));
    both(&mut batch, "one record, the last", &cut, &keys, None, form);
    let smaller = Gap { lost_size: LOST - 1, ..gap.clone() };
    let two_words = w.log(first(), Some(w.declared(&smaller, 1, |_| {})));
    both(&mut batch, "two people, two losses", &two_words, &keys, None, form);
    let nothing = Gap { lost_size: 8, ..gap.clone() };
    let nothing = w.log(w.declared(&nothing, 0, |_| {}), Some(w.declared(&nothing, 1, |_| {})));
    both(&mut batch, "nothing was lost", &nothing, &keys, None, form);
    let foreign = Gap { lost: "elsewhere.example".to_owned(), ..gap.clone() };
    let foreign = w.log(w.declared(&foreign, 0, |_| {}), Some(w.declared(&foreign, 1, |_| {})));
    both(&mut batch, "of another log", &foreign, &keys, None, form);
    let nobody = w.log(w.declared(&gap, 0, |draft| draft.actor = None), Some(second()));
    both(&mut batch, "by nobody", &nobody, &keys, None, form);
    let longer = |draft: &mut RecordDraft| draft.basis.push("more".to_owned());
    let padded = w.log(w.declared(&gap, 0, longer), Some(w.declared(&gap, 1, longer)));
    both(&mut batch, "with something more", &padded, &keys, None, form);
    batch.judge();
}
