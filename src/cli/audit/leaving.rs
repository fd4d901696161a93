//! `relais audit export` and `relais audit report`: what leaves the log as it is attested, for other programs, or signed
//! for people.
//!
//! INVARIANT: `export --format` and `report` need the instance's key, and their own record is committed before the first
//! byte is written. The same services as the auditor's console make them; only the number of days is not limited here.

use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::{Context, Result, anyhow, bail};
use chrono::NaiveDate;
use data_encoding::{BASE64, HEXLOWER};

use super::{LogOptions, keys_of, kind_of};
use crate::audit::SignedCheckpoint;
use crate::audit::note::Note;
use crate::audit::verify::LogReader;
use crate::cli::instance::{Instance, told};
use crate::domain::day::Month;
use crate::domain::record::ExportFormat;
use crate::service::{ExportDays, ExportReading, Witnesses};
use crate::store::log::LogFile;

/// In which form, and of which days.
#[derive(Debug, Default, clap::Args)]
pub struct ExportArguments {
    /// Pour d'autres programmes : csv, jsonl, fhir (FHIR R4 AuditEvent) ou ocsf ; laisse une trace [défaut : les traces telles qu'attestées]
    #[arg(long, value_name = "FORME")]
    format: Option<String>,
    /// Premier jour, à Paris (AAAA-MM-JJ) [avec --format]
    #[arg(long, value_name = "JOUR", requires = "format")]
    from: Option<NaiveDate>,
    /// Dernier jour, à Paris (AAAA-MM-JJ) [avec --format]
    #[arg(long, value_name = "JOUR", requires = "format")]
    to: Option<NaiveDate>,
}

impl ExportArguments {
    /// The form that is asked for; `None` for the records as they are attested.
    pub(super) fn form(&self) -> Result<Option<(ExportFormat, ExportDays)>> {
        let Some(code) = &self.format else { return Ok(None) };
        let known: Vec<&str> = ExportFormat::ALL.iter().map(|f| f.code()).collect();
        let format = ExportFormat::parse(code)
            .map_err(|_| anyhow!("--format : `{code}` n'est pas une forme : {}", known.join(", ")))?;
        if let (Some(from), Some(to)) = (self.from, self.to)
            && to < from
        {
            bail!("--to est avant --from : corrigez l'un des deux");
        }
        Ok(Some((format, ExportDays { from: self.from, until: self.to })))
    }
}

/// Which month, or which file to check.
#[derive(Debug, clap::Args)]
pub struct ReportArguments {
    #[command(flatten)]
    log: LogOptions,
    /// Le mois, fini (AAAA-MM)
    #[arg(long, value_name = "MOIS", required_unless_present = "check", conflicts_with = "check")]
    month: Option<String>,
    /// Vérifie un rapport gardé, sans base et sans serveur, avec --vkey
    #[arg(long, value_name = "FICHIER", requires = "vkey")]
    check: Option<PathBuf>,
}

/// How many records are exported at once.
const PAGE: usize = 1024;

/// The records as they were hashed, without a key and without a record of it; page by page: the memory needed does not
/// grow with the log.
pub(super) fn attested(log: &mut LogFile, out: &mut dyn Write) -> Result<ExitCode> {
    let mut after = None;
    loop {
        let rows = log.rows(after, PAGE)?;
        let Some(last) = rows.last() else { break };
        after = Some(last.index);
        for row in rows {
            match row.body {
                Some(body) => writeln!(out, "{body}")?,
                // Of a pruned record its hash, in its place: whoever verifies goes on with it.
                None => writeln!(
                    out,
                    "{}",
                    serde_json::json!({"leaf_hash": BASE64.encode(&row.leaf_hash), "pruned": row.retention})
                )?,
            }
        }
    }
    if let Some(last) = super::last_signed(log)? {
        let (note, size) = (last.to_string(), last.claims().size());
        writeln!(out, "{}", serde_json::json!({"checkpoint": note, "size": size}))?;
    }
    Ok(ExitCode::SUCCESS)
}

/// The instance with its key: what is done here leaves a record.
pub(super) fn instance(options: &LogOptions, data: &Path) -> Result<Instance> {
    let code = options.open(data)?.instance_value("kind")?.unwrap_or_default();
    let keyring = options.keyring(data, &code)?.ok_or_else(|| {
        anyhow!("ceci laisse une trace dans le journal et demande la clé maîtresse : donnez --kek-file")
    })?;
    Ok(Instance::over(options.store(data, kind_of(&code), keyring)?, Witnesses::default())?)
}

pub(super) fn export(
    options: &LogOptions,
    data: &Path,
    format: ExportFormat,
    days: ExportDays,
    out: &mut dyn Write,
    progress: &mut dyn Write,
) -> Result<ExitCode> {
    let instance = instance(options, data)?;
    let mut reading = ExportReading::new(instance.app.export_here(format, days).map_err(told)?);
    while let Some(piece) = instance.app.export_next(&mut reading).map_err(told)? {
        out.write_all(&piece)?;
    }
    out.flush()?;
    let export = reading.export();
    writeln!(
        progress,
        "Traces : {}. SHA-256 : {}. L'export est noté dans le journal.",
        export.records(),
        HEXLOWER.encode(export.digest())
    )?;
    Ok(ExitCode::SUCCESS)
}

pub(super) fn report(data: &Path, asked: &ReportArguments, out: &mut dyn Write) -> Result<ExitCode> {
    if let Some(file) = &asked.check {
        return check(&asked.log, file, out);
    }
    let text = asked.month.as_deref().unwrap_or_default();
    let month = Month::parse(text).map_err(|_| anyhow!("--month : `{text}` n'est pas un mois (AAAA-MM)"))?;
    let note = instance(&asked.log, data)?.app.report_here(month).map_err(told)?;
    write!(out, "{}", *note)?;
    Ok(ExitCode::SUCCESS)
}

fn check(options: &LogOptions, file: &Path, out: &mut dyn Write) -> Result<ExitCode> {
    let keys = keys_of(&options.vkey)?;
    let text = std::fs::read_to_string(file).with_context(|| {
        format!("`{}` ne peut pas être lu : vérifiez le chemin et les droits", file.display())
    })?;
    // Signed by the same key: each is told for what it is.
    if SignedCheckpoint::parse(&text).is_ok() {
        bail!("ce fichier est un point de contrôle, pas un rapport : `relais audit verify --checkpoint`");
    }
    match Note::parse(&text).and_then(|note| note.verify(&keys).map(|signed| signed.len())) {
        Ok(_) => {
            writeln!(out, "La signature du journal tient : ce rapport est tel qu'il a été signé.")?;
            Ok(ExitCode::SUCCESS)
        }
        Err(error) => {
            writeln!(out, "La signature ne tient pas : {error}.")?;
            Ok(ExitCode::FAILURE)
        }
    }
}
