//! `relais audit verify | export | report | proof | receipt | consistency | replay | reconcile | checkpoint | prune`: the log, checked by
//! whoever has the database. (`witness` is beside this file.)
//!
//! INVARIANT: nothing is written to the database, but for `checkpoint` with a key, which signs and keeps one, for `report`
//! and `export --format`, which need the key and leave their own record, and for `prune`, which two persons do.
//! INVARIANT: the exit code is 0 only when everything holds; the first thing that does not is named in words.
//! Works while a server runs, and on a copy of the file; no key is needed to verify.

use std::collections::BTreeMap;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::Arc;

use anyhow::{Context, Result, anyhow, bail};
use data_encoding::BASE64;

use crate::audit::note::VerifierKey;
use crate::audit::tree::{consistency_proof, inclusion_proof, verify_consistency};
use crate::audit::verify::{Failure, LogReader, Place, Pruned, Report, Trust, attested_failure, verify};
use crate::audit::{Policy, SignedCheckpoint, TlogProof};
use crate::clock::{Clock, SystemClock};
use crate::config::{DATABASE_FILE, FILE, Settings};
use crate::crypto::kek::{FileKek, KekPlacement};
use crate::crypto::keyring::Keyring;
use crate::domain::day::french_date;
use crate::service::checkpoints::sign_checkpoint;
use crate::service::witnesses::{ATTESTED_FILE, with_lines};
use crate::startup::database_address;
use crate::store::log::LogFile;
use crate::store::{DatabaseAddress, InstanceKind, Store, durable};

mod checks;
mod consistency;
mod leaving;
pub mod pruning;

/// Variables that name a database, as `serve` reads them.
const SET_BY: [&str; 2] = ["RELAIS_DATABASE", "RELAIS_DATABASE_FILE"];
/// The exit code of a log that holds, and of which two people declared a part lost.
const DECLARED_LOSS: u8 = 3;
/// How often progress is told.
const STEP: u64 = 100_000;

/// The commands about the log.
#[derive(Debug, clap::Subcommand)]
pub enum AuditCommand {
    /// Recalcule tout le journal et le compare à ses points de contrôle, et à celui que vous avez gardé
    #[command(
        after_help = "Exemple : relais audit verify --checkpoint mars.txt --vkey \"$(cat cle-du-journal.txt)\"\n\nCode de sortie 0 seulement si tout tient et que rien n'est perdu ; 3 si tout ce qui est là tient et qu'une perte a été déclarée à deux ; sinon 1, et la première trace qui ne tient pas est nommée. Le serveur peut tourner."
    )]
    Verify {
        #[command(flatten)]
        log: LogOptions,
        /// Un point de contrôle gardé ailleurs : le journal doit le prolonger
        #[arg(long, value_name = "FICHIER")]
        checkpoint: Option<PathBuf>,
        /// Les témoins exigés (c2sp.org/tlog-policy) : le point de contrôle fourni, ou le dernier cosigné, doit les avoir [défaut : celle des réglages]
        #[arg(long, value_name = "FICHIER")]
        policy: Option<PathBuf>,
        /// Une ligne lisible par une machine, au lieu de phrases
        #[arg(long)]
        json: bool,
        /// Ouvre aussi les détails chiffrés et les compare aux traces (il faut --kek-file)
        #[arg(long)]
        details: bool,
    },
    /// Écrit chaque trace, une par ligne, telle qu'elle est attestée ; le dernier point de contrôle vient à la fin
    #[command(
        after_help = "Exemple : relais audit export > journal.jsonl\n          relais audit export --format csv --from 2027-03-01 --to 2027-03-31 --kek-file /etc/relais/kek > mars.csv\n\nSans --format, l'export se vérifie, se lit sur une copie de la base, sans clé, et ne laisse pas de trace. Avec --format, il est fait pour d'autres programmes (heures à la minute) et laisse une trace : il faut la clé maîtresse."
    )]
    Export {
        #[command(flatten)]
        log: LogOptions,
        #[command(flatten)]
        asked: leaving::ExportArguments,
    },
    /// Écrit le rapport d'un mois fini : des nombres, sans nom ni contenu, signés par la clé du journal
    #[command(
        after_help = "Exemple : relais audit report --month 2027-03 --kek-file /etc/relais/kek > rapport-2027-03.txt\n\nLe rapport laisse une trace. Il se vérifie sans la base : relais audit report --check rapport-2027-03.txt --vkey \"$(cat cle-du-journal.txt)\"."
    )]
    Report(leaving::ReportArguments),
    /// Écrit le reçu d'une trace, trace comprise, vérifiable sans le serveur (c2sp.org/tlog-proof)
    #[command(after_help = "Exemple : relais audit proof 42 > trace-42.proof")]
    Proof {
        /// Numéro de la trace, à partir de 0
        #[arg(value_name = "NUMÉRO")]
        index: u64,
        #[command(flatten)]
        log: LogOptions,
    },
    /// Vérifie un reçu, sans base et sans serveur : la trace qu'il contient est bien dans le journal
    #[command(
        after_help = "Exemple : relais audit receipt trace-42.proof --vkey \"$(cat cle-du-journal.txt)\"\n\nLa clé est celle que vous gardez : un reçu ne prouve rien sous une clé reçue avec lui."
    )]
    Receipt(checks::ReceiptArguments),
    /// Écrit la preuve que le point de contrôle le plus récent prolonge un plus ancien
    #[command(
        after_help = "Exemple : relais audit consistency 2027-02.txt 2027-03.txt > preuve.txt\n\nElle se vérifie sans la base ni le serveur : python3 relais_verify.py verify-consistency 2027-02.txt 2027-03.txt preuve.txt --key-file cle-du-journal.txt"
    )]
    Consistency(consistency::ConsistencyArguments),
    /// Rejuge chaque décision enregistrée, sur ses faits, avec la version de la charte qu'elle cite
    #[command(
        after_help = "Exemple : relais audit replay --from 2027-03-01 --to 2027-03-31\n\nCode de sortie 0 seulement si toutes les décisions redonnent la même réponse. Lancez d'abord `relais audit verify` : rejouer ne prouve pas que les traces sont intactes."
    )]
    Replay {
        #[command(flatten)]
        log: LogOptions,
        #[command(flatten)]
        asked: checks::ReplayArguments,
    },
    /// Compare les données au journal : ce qu'une trace a écrit est-il encore ce qui est enregistré ?
    #[command(
        after_help = "Exemple : relais audit reconcile --kek-file /etc/relais/kek\n\nNomme la trace et la ligne qui ne correspondent plus : modifiée, retirée, ou ajoutée sans trace. Il faut la clé maîtresse : les noms des lignes sont dans les détails chiffrés."
    )]
    Reconcile {
        #[command(flatten)]
        log: LogOptions,
        /// Une ligne lisible par une machine, au lieu de phrases
        #[arg(long)]
        json: bool,
    },
    /// Écrit le dernier point de contrôle, à emporter ; avec --kek-file, en signe un du journal tel qu'il est
    #[command(
        after_help = "Exemple : relais audit checkpoint > mars.txt\n\nrelais audit checkpoint --vkey-only > cle-du-journal.txt"
    )]
    Checkpoint {
        #[command(flatten)]
        log: LogOptions,
        /// Écrit à la place la clé publique du journal, à garder avec lui
        #[arg(long = "vkey-only")]
        public_key: bool,
        /// Le dernier qu'un témoin a cosigné, avec ses cosignatures
        #[arg(long, conflicts_with = "public_key")]
        cosigned: bool,
    },
    /// Élague les traces techniques arrivées à leur terme : une personne demande, une autre confirme
    #[command(subcommand)]
    Prune(pruning::PruneCommand),
    /// Sur une autre machine : suit les journaux des autres, et cosigne ce qui les prolonge (c2sp.org/tlog-witness)
    #[command(
        after_help = "Exemple : relais --data /srv/temoin certs make --name temoin.departement.example\n          relais --data /srv/temoin audit witness --listen 0.0.0.0:8444 --name departement.example/temoin --logs journaux.txt\n\nLa clé du témoin est faite au premier démarrage ; ce qu'il imprime se copie dans relais.toml et dans la politique."
    )]
    Witness(super::witness::WitnessArguments),
}

/// Which log, and whom to trust.
#[derive(Debug, Clone, Default, clap::Args)]
pub struct LogOptions {
    /// `sqlite:CHEMIN` ou `postgres://…` [défaut : la base de l'instance]
    #[arg(long, value_name = "ADRESSE")]
    pub database: Option<String>,
    /// La clé publique du journal que vous gardez ; option répétable quand elle a changé [défaut : celle de la base, et c'est dit]
    #[arg(long, value_name = "CLÉ")]
    pub vkey: Vec<String>,
    /// Fichier de la clé maîtresse
    #[arg(long, value_name = "FICHIER", env = "RELAIS_KEK_FILE", hide_env = true)]
    pub kek_file: Option<PathBuf>,
}

impl LogOptions {
    /// The database that `serve` would take, from the file and the environment alike.
    fn address(&self, data: &Path, environment: &BTreeMap<String, String>) -> Result<DatabaseAddress> {
        let set = || SET_BY.iter().any(|name| environment.contains_key(*name));
        match &self.database {
            Some(text) => Ok(DatabaseAddress::parse(text)?),
            // A copy of a database has no settings beside it: only what is there is asked.
            None if data.join(FILE).exists() || set() => {
                Ok(database_address(&Settings::read(data, environment)?))
            }
            None => Ok(DatabaseAddress::Sqlite(data.join(DATABASE_FILE))),
        }
    }

    fn open(&self, data: &Path) -> Result<LogFile> {
        LogFile::open(&self.address(data, &super::environment())?)
            .context("le journal ne peut pas être ouvert")
    }

    /// The log's name and the keys that check it; whether these came from outside the database.
    fn trusted(&self, log: &mut LogFile) -> Result<(String, Vec<VerifierKey>, bool)> {
        let texts = if self.vkey.is_empty() { log.log_vkeys()? } else { self.vkey.clone() };
        let keys = keys_of(&texts)?;
        let first =
            keys.first().ok_or_else(|| anyhow!("cette base n'a pas de clé de journal : donnez --vkey"))?;
        Ok((first.name().to_owned(), keys, !self.vkey.is_empty()))
    }

    /// The policy that is given, else that of the settings.
    fn policy(&self, given: Option<&Path>, data: &Path) -> Result<Option<Policy>> {
        let file = match given {
            Some(file) => Some(file.to_owned()),
            None if data.join(FILE).exists() => Settings::read(data, &super::environment())?.policy,
            None => None,
        };
        let Some(file) = file else { return Ok(None) };
        let bytes = std::fs::read(&file).with_context(|| {
            format!(
                "la politique `{}` ne peut pas être lue : vérifiez le chemin et les droits",
                file.display()
            )
        })?;
        Ok(Some(Policy::parse(&bytes)?))
    }

    fn store(&self, data: &Path, kind: InstanceKind, keyring: Keyring) -> Result<Store> {
        Ok(Store::open(&self.address(data, &super::environment())?, kind, keyring)?)
    }

    fn keyring(&self, data: &Path, kind: &str) -> Result<Option<Keyring>> {
        let Some(file) = &self.kek_file else { return Ok(None) };
        let demonstration = kind == InstanceKind::Demo.code();
        let placement =
            if demonstration { KekPlacement::Demonstration } else { KekPlacement::OutsideOf(data) };
        Ok(Some(Keyring::new(Arc::new(FileKek::open(file, placement)?))))
    }
}

fn kind_of(code: &str) -> InstanceKind {
    if code == InstanceKind::Demo.code() { InstanceKind::Demo } else { InstanceKind::Real }
}

/// Keys as texts; a file of keys, one per line, may be given whole.
fn keys_of(texts: &[String]) -> Result<Vec<VerifierKey>> {
    let lines = texts.iter().flat_map(|text| text.lines());
    lines.map(|line| VerifierKey::parse(line.trim())).collect::<Result<Vec<_>, _>>().context("--vkey")
}

/// Runs one command; `out` is standard output, `progress` standard error.
///
/// # Errors
/// When the log cannot be read at all. A log that does not hold is an answer, with a failing exit code.
pub fn run(
    command: &AuditCommand,
    data: &Path,
    out: &mut dyn Write,
    progress: &mut dyn Write,
) -> Result<ExitCode> {
    match command {
        AuditCommand::Prune(command) => {
            pruning::run(command, data, &mut std::io::stdin().lock(), out, progress)
        }
        AuditCommand::Witness(arguments) => super::witness::run(arguments, data, out),
        AuditCommand::Verify { log, checkpoint, policy, json, details } => {
            let asked = Asked {
                checkpoint: checkpoint.as_deref(),
                policy: policy.as_deref(),
                json: *json,
                details: *details,
            };
            run_verify(log, data, &asked, out, progress)
        }
        AuditCommand::Export { log, asked } => match asked.form()? {
            None => leaving::attested(&mut log.open(data)?, out),
            Some((format, days)) => leaving::export(log, data, format, days, out, progress),
        },
        AuditCommand::Report(asked) => leaving::report(data, asked, out),
        AuditCommand::Proof { index, log } => proof(log, data, *index, out),
        AuditCommand::Receipt(asked) => checks::receipt(asked, out),
        AuditCommand::Consistency(asked) => consistency::run(asked, data, out),
        AuditCommand::Replay { log, asked } => checks::replay(&mut log.open(data)?, asked, out, progress),
        AuditCommand::Reconcile { log, json } => checks::reconcile(log, data, *json, out, progress),
        AuditCommand::Checkpoint { log, cosigned: true, .. } => checkpoint_cosigned(log, data, out),
        AuditCommand::Checkpoint { log, public_key, cosigned: false } => {
            checkpoint(log, data, *public_key, out, progress)
        }
    }
}

struct Asked<'a> {
    checkpoint: Option<&'a Path>,
    policy: Option<&'a Path>,
    json: bool,
    details: bool,
}

fn run_verify(
    options: &LogOptions,
    data: &Path,
    asked: &Asked<'_>,
    out: &mut dyn Write,
    progress: &mut dyn Write,
) -> Result<ExitCode> {
    let given = match asked.checkpoint {
        Some(file) => Some(std::fs::read_to_string(file).with_context(|| {
            format!("`{}` ne peut pas être lu : vérifiez le chemin et les droits", file.display())
        })?),
        None => None,
    };
    let mut log = options.open(data)?;
    let (origin, keys, from_outside) = options.trusted(&mut log)?;
    if asked.details {
        let kind = log.instance_value("kind")?.unwrap_or_default();
        let keyring = options
            .keyring(data, &kind)?
            .ok_or_else(|| anyhow!("--details a besoin de la clé maîtresse : donnez --kek-file"))?;
        log = log.with_details(&keyring)?;
    }
    let total = u64::try_from(log.head()?.size).unwrap_or(0);
    let mut told = 0_u64;
    let mut tell = |read: u64| {
        if read >= told.saturating_add(STEP) {
            told = read;
            // Progress that cannot be shown does not stop a verification.
            drop(writeln!(progress, "{read} traces sur {total}…"));
        }
    };
    let trust = Trust { origin: &origin, keys: &keys, given: given.as_deref() };
    let mut report = verify(&mut log, &trust, &mut tell)?;
    if report.holds() {
        // What witnesses saw stands beside the database: an older copy of it holds in itself.
        let kept = durable::read(&data.join(ATTESTED_FILE)).context("le point de contrôle attesté")?;
        if let Some(text) = kept {
            let frontier = log.log_frontier()?;
            report.failure = attested_failure(&text, &trust, &report.gaps, &frontier, &mut log)?;
        }
    }
    let attested = match options.policy(asked.policy, data)? {
        Some(policy) if report.holds() => {
            let judged = match given.as_deref() {
                Some(text) => Some(SignedCheckpoint::parse(text)?),
                None => cosigned(&mut log)?,
            };
            Some(judge(&policy, judged, &keys))
        }
        Some(_) | None => None,
    };
    let enough = !matches!(attested, Some(Err(_)));
    if asked.json {
        writeln!(out, "{}", json_of(&report, &origin, from_outside, attested.as_ref()))?;
    } else {
        words_of(&report, &origin, from_outside, out)?;
        match &attested {
            Some(Ok(names)) => writeln!(out, "Témoins : {}.", names.join(", "))?,
            Some(Err(why)) => writeln!(out, "Les témoins exigés manquent : {why}.")?,
            None => {}
        }
    }
    Ok(match (report.holds() && enough, report.gaps.is_empty()) {
        (true, true) => ExitCode::SUCCESS,
        // A loss that the tool which looks for losses forgets would be none.
        (true, false) => ExitCode::from(DECLARED_LOSS),
        (false, _) => ExitCode::FAILURE,
    })
}

/// The witnesses that saw the checkpoint, each with its time; or, in French, why the policy is not met.
fn judge(
    policy: &Policy,
    judged: Option<SignedCheckpoint>,
    keys: &[VerifierKey],
) -> Result<Vec<String>, String> {
    let judged = judged.ok_or("aucun point de contrôle n'est encore cosigné")?;
    let attested = policy.check(&judged, keys, SystemClock.now()).map_err(|e| e.to_string())?;
    Ok(attested.iter().map(|a| format!("{} ({})", a.name, a.at.rfc3339())).collect())
}

fn words_of(report: &Report, origin: &str, from_outside: bool, out: &mut dyn Write) -> Result<()> {
    for gap in &report.gaps {
        writeln!(out, "{gap}.")?;
    }
    match &report.failure {
        None => {
            writeln!(out, "Le journal tient : {} traces recalculées une à une.", report.records)?;
            for one in &report.prunings {
                writeln!(out, "{}", pruned(one))?;
            }
            writeln!(out, "Points de contrôle vérifiés : {}.", report.checkpoints)?;
            if report.details > 0 {
                writeln!(out, "Détails ouverts et conformes : {}.", report.details)?;
            }
            writeln!(out, "Racine : {}", BASE64.encode(&report.root))?;
        }
        Some(failure) => {
            writeln!(out, "Le journal ne tient pas.")?;
            writeln!(out, "{failure}")?;
            writeln!(out, "Traces conformes avant cela : {}.", report.records)?;
        }
    }
    let now = report.gaps.last().map_or(origin, |gap| gap.origin.as_str());
    writeln!(out, "Journal : {now}")?;
    if !from_outside {
        writeln!(
            out,
            "La clé publique a été lue dans la base elle-même : comparez-la avec celle que vous gardez (--vkey)."
        )?;
    }
    Ok(())
}

/// A pruning that was met, so that an auditor can ask the two persons about it.
fn pruned(one: &Pruned) -> String {
    format!(
        "Élagage (trace n° {}, le {}) : {} traces techniques, du n° {} au n° {}, d'avant le {}.",
        one.index,
        french_date(one.at.paris_day()),
        one.count,
        one.first,
        one.last,
        french_date(one.before.paris_day())
    )
}

fn json_of(
    report: &Report,
    origin: &str,
    from_outside: bool,
    attested: Option<&Result<Vec<String>, String>>,
) -> serde_json::Value {
    let failure = report.failure.as_ref().map(|f: &Failure| {
        let (place, number) = match f.place {
            Place::Record(n) => ("record", Some(n)),
            Place::Checkpoint(n) => ("checkpoint", Some(n)),
            Place::Given(n) => ("given_checkpoint", n),
            Place::Attested(n) => ("attested_checkpoint", n),
            Place::Log => ("log", None),
        };
        serde_json::json!({"place": place, "number": number, "flaw": f.flaw.code(), "sentence": f.to_string()})
    });
    serde_json::json!({
        "holds": report.holds(),
        "records": report.records,
        "root": BASE64.encode(&report.root),
        "checkpoints": report.checkpoints,
        "details": report.details,
        "pruned": report.pruned,
        "prunings": report.prunings.iter().map(|p| p.index).collect::<Vec<_>>(),
        "origin": origin,
        "gaps": report.gaps.iter().map(|gap| serde_json::json!({
            "record": gap.index,
            "at": gap.at.rfc3339(),
            "lost": gap.lost,
            "lost_size": gap.lost_size,
            "lost_root": BASE64.encode(&gap.lost_root),
            "origin": gap.origin,
        })).collect::<Vec<_>>(),
        "vkey_given": from_outside,
        "witnesses": attested.and_then(|a| a.as_ref().ok()),
        "policy_failure": attested.and_then(|a| a.as_ref().err()),
        "failure": failure,
    })
}

fn proof(options: &LogOptions, data: &Path, index: u64, out: &mut dyn Write) -> Result<ExitCode> {
    let mut log = options.open(data)?;
    let (_, keys, _) = options.trusted(&mut log)?;
    let size = log.log_frontier()?.size();
    if index >= size {
        bail!("il n'y a pas de trace n° {index} : le journal en a {size}, numérotées à partir de 0");
    }
    // One that a witness has seen, before the last of all.
    let seen = log.checkpoint_covering(index.saturating_add(1), true)?;
    let covering = match seen {
        Some(seen) => Some(with_cosignatures(&mut log, &seen.note)?),
        None => last_signed(&mut log)?.filter(|last| last.claims().size() > index),
    };
    let signed = match covering {
        Some(signed) => signed,
        None => sign_now(options, data, &mut log)?.ok_or_else(|| {
            anyhow!(
                "aucun point de contrôle ne couvre encore la trace n° {index} : attendez une minute que le serveur en signe un, ou donnez --kek-file"
            )
        })?,
    };
    // The name that the log had at the checkpoint's size, after a declared loss.
    let origin = signed.claims().origin().to_owned();
    signed.verify(&origin, &keys)?;
    let hashes = inclusion_proof(index, signed.claims().size(), &mut log)?;
    let row = i64::try_from(index)?;
    let body = log.log_body(row)?.ok_or_else(|| {
        anyhow!(
            "la trace n° {index} a été élaguée : son contenu est effacé, il n'y a plus de reçu à en prendre. Un reçu pris avant se vérifie toujours"
        )
    })?;
    let receipt = TlogProof::new(index, hashes, signed)?.with_record(&body)?;
    // A receipt that does not verify must not be taken away.
    receipt.verify_carried(&origin, &keys)?;
    write!(out, "{receipt}")?;
    Ok(ExitCode::SUCCESS)
}

fn checkpoint(
    options: &LogOptions,
    data: &Path,
    public_key: bool,
    out: &mut dyn Write,
    progress: &mut dyn Write,
) -> Result<ExitCode> {
    let mut log = options.open(data)?;
    if public_key {
        for key in options.trusted(&mut log)?.1 {
            writeln!(out, "{key}")?;
        }
        return Ok(ExitCode::SUCCESS);
    }
    if let Some(signed) = sign_now(options, data, &mut log)? {
        write!(out, "{signed}")?;
        return Ok(ExitCode::SUCCESS);
    }
    let last = last_signed(&mut log)?;
    let last = last.ok_or_else(no_checkpoint)?;
    let size = log.log_frontier()?.size();
    if last.claims().size() < size {
        writeln!(
            progress,
            "Le journal a {size} traces ; ce point de contrôle en atteste {}.",
            last.claims().size()
        )?;
    }
    write!(out, "{last}")?;
    Ok(ExitCode::SUCCESS)
}

fn no_checkpoint() -> anyhow::Error {
    anyhow!("aucun point de contrôle n'est encore signé : lancez le serveur, ou donnez --kek-file")
}

/// The last checkpoint, with the cosignatures that it has.
fn last_signed(log: &mut LogFile) -> Result<Option<SignedCheckpoint>> {
    log.checkpoint_latest()?.map(|last| with_cosignatures(log, &last.note)).transpose()
}

/// The last checkpoint that a witness cosigned.
fn cosigned(log: &mut LogFile) -> Result<Option<SignedCheckpoint>> {
    log.checkpoint_cosigned()?.map(|note| with_cosignatures(log, &note)).transpose()
}

fn with_cosignatures(log: &mut LogFile, note: &str) -> Result<SignedCheckpoint> {
    let signed = SignedCheckpoint::parse(note)?;
    let stored = log.cosignatures(signed.claims().size())?;
    Ok(with_lines(signed, &stored)?)
}

fn checkpoint_cosigned(options: &LogOptions, data: &Path, out: &mut dyn Write) -> Result<ExitCode> {
    let last = cosigned(&mut options.open(data)?)?.ok_or_else(|| {
        anyhow!("aucun témoin n'a encore cosigné de point de contrôle : regardez les réglages `[[witness]]`")
    })?;
    write!(out, "{last}")?;
    Ok(ExitCode::SUCCESS)
}

/// Signs the committed head of this snapshot, if it continues the last checkpoint; `None` without a key.
fn sign_now(options: &LogOptions, data: &Path, log: &mut LogFile) -> Result<Option<SignedCheckpoint>> {
    let missing = || anyhow!("cette base n'a pas de clé de journal");
    let code = log.instance_value("kind")?.ok_or_else(missing)?;
    let Some(keyring) = options.keyring(data, &code)? else { return Ok(None) };
    let kind = kind_of(&code);
    let store = options.store(data, kind, keyring)?;
    let frontier = log.log_frontier()?;
    if let Some(last) = last_signed(log)? {
        let (older, root) = (last.claims().size(), *last.claims().root());
        if older > 0 {
            let proof = consistency_proof(older, frontier.size(), log)?;
            verify_consistency(older, frontier.size(), &proof, &root, &frontier.root()).context(
                "le journal ne prolonge pas son dernier point de contrôle : lancez `relais audit verify`",
            )?;
        }
    }
    let signed = sign_checkpoint(&store, &mut store.snapshot()?, &frontier)?;
    store.checkpoint_keep(frontier.size(), &signed.to_string())?;
    Ok(Some(signed))
}

#[cfg(test)]
mod tests;
