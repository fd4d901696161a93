//! `relais demo`: a demonstration territory on a fresh machine, created once, then served.
//!
//! INVARIANT: nothing is inserted behind the services: structures and people come through the importers, accounts are
//! opened as their holders would, accords, items and shares are made as each person.
//! INVARIANT: a real instance is refused; an address that is not loopback needs `--expose`.

mod stories;
mod territory;

use std::io::Write;
use std::net::SocketAddr;
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::Arc;

use anyhow::{Context, Result, bail};
use serde::{Deserialize, Serialize};

use super::instance::told;
use crate::clock::{Chance, Clock, SystemClock};
use crate::config::Settings;
use crate::crypto::kek::{FileKek, KekPlacement};
use crate::crypto::keyring::Keyring;
use crate::crypto::{SystemChance, certificates};
use crate::service::Witnesses;
use crate::startup::{
    Application, DEMO_KEK_FILE, Signals, assemble, database_address, keyring, start_telemetry,
};
use crate::store::{DatabaseAddress, InstanceKind, Store};
use crate::web::route::{Demonstration, DemonstrationPerson};

/// The folder of a demonstration, when nothing else is said.
pub const DATA: &str = "./demo-data";
/// Ways in of the demonstration's people, for the person who runs it.
const WAYS_IN: &str = "ways-in.json";

/// Options of `relais demo`.
#[derive(Debug, clap::Args)]
pub struct DemoArguments {
    /// Adresse d'écoute
    #[arg(long, value_name = "ADRESSE", default_value = "127.0.0.1:8443")]
    listen: SocketAddr,
    /// Une seule ligne pour les programmes, au lieu des explications
    #[arg(long)]
    json: bool,
    /// Accepte une adresse qui n'est pas celle de cette machine
    #[arg(long)]
    expose: bool,
}

/// One person of the demonstration, with the way in.
#[derive(Clone, Serialize, Deserialize)]
pub struct Account {
    pub login: String,
    pub password: String,
    pub totp_secret: String,
    pub name: String,
    pub organisation: String,
    pub profession: String,
    /// Said when it is not the ordinary one.
    #[serde(default)]
    pub function: String,
}

/// One pathway, by the story that it tells.
#[derive(Clone, Serialize, Deserialize)]
pub struct Told {
    pub id: String,
    pub story: String,
}

/// What a demonstration folder remembers for the person who runs it.
#[derive(Clone, Serialize, Deserialize)]
pub struct WaysIn {
    pub accounts: Vec<Account>,
    pub pathways: Vec<Told>,
}

/// The one line of `--json`.
#[derive(Serialize)]
struct Announcement<'a> {
    base_url: String,
    ca_file: PathBuf,
    accounts: &'a [Account],
    pathways: &'a [Told],
}

fn private_folder(path: &Path) -> Result<()> {
    std::fs::DirBuilder::new()
        .mode(0o700)
        .create(path)
        .with_context(|| format!("le dossier {} ne peut pas être créé", path.display()))
}

fn write_private(path: &Path, bytes: &[u8]) -> Result<()> {
    let mut file = std::fs::OpenOptions::new()
        .write(true)
        .create_new(true)
        .mode(0o600)
        .open(path)
        .with_context(|| format!("le fichier {} ne peut pas être créé", path.display()))?;
    file.write_all(bytes)?;
    Ok(())
}

/// Creates the whole demonstration in `folder`, which must not exist.
///
/// # Errors
/// When anything of it fails; the folder is then incomplete and must not be used.
pub fn create(
    folder: &Path,
    settings: &Settings,
    clock: Arc<dyn Clock>,
    chance: Arc<dyn Chance>,
    progress: &mut dyn Write,
) -> Result<WaysIn> {
    private_folder(folder)?;
    writeln!(progress, "Clés et certificat…")?;
    let kek = FileKek::create(&folder.join(DEMO_KEK_FILE), KekPlacement::Demonstration, chance.as_ref())?;
    let issued = certificates::issue(&[], clock.now(), chance.as_ref())?;
    certificates::write(&issued, &super::certs::folder(folder), false)?;
    let address = match database_address(settings) {
        DatabaseAddress::Sqlite(_) => DatabaseAddress::Sqlite(folder.join("relais.db")),
        other @ DatabaseAddress::Postgres(_) => other,
    };
    let keys = Keyring::new(Arc::new(kek));
    let store = Store::create(&address, InstanceKind::Demo, keys, chance.as_ref(), clock.now())?;
    let (app, lane) = assemble(store, Witnesses::default(), clock, chance)?;
    let made = territory::found(&app, progress).and_then(|people| {
        let pathways = stories::tell(&app, &people, progress)?;
        Ok(WaysIn { accounts: people.accounts(), pathways })
    });
    lane.stop();
    let ways_in = made.map_err(told)?;
    write_private(&folder.join(WAYS_IN), &serde_json::to_vec_pretty(&ways_in)?)?;
    Ok(ways_in)
}

/// What a demonstration folder remembers of its people.
///
/// # Errors
/// When the file is not there or not readable.
pub fn ways_in(folder: &Path) -> Result<WaysIn> {
    let path = folder.join(WAYS_IN);
    let bytes = std::fs::read(&path).with_context(|| {
        format!("{} manque : supprimez le dossier de démonstration et recommencez", path.display())
    })?;
    Ok(serde_json::from_slice(&bytes)?)
}

/// Runs the demonstration.
///
/// # Errors
/// When it cannot be created, opened or served.
pub fn run(
    arguments: &DemoArguments,
    data: &Path,
    mut settings: Settings,
    out: &mut dyn Write,
) -> Result<ExitCode> {
    if !arguments.listen.ip().is_loopback() && !arguments.expose {
        bail!(
            "{} n'est pas une adresse de cette machine : ajoutez --expose si vous voulez vraiment montrer la démonstration à d'autres",
            arguments.listen
        );
    }
    settings.listen = arguments.listen;
    settings.public_name = "localhost".to_owned();
    start_telemetry(&settings);
    let (clock, chance): (Arc<dyn Clock>, Arc<dyn Chance>) =
        (Arc::new(SystemClock), Arc::new(SystemChance::new()));
    let known = if data.exists() {
        refuse_real(&settings)?;
        ways_in(data)?
    } else {
        if !arguments.json {
            writeln!(out, "Création d'un territoire de démonstration dans {} (une fois)…", data.display())?;
        }
        // Made beside, then renamed: what is interrupted is never taken for a demonstration.
        let mut partial = data.as_os_str().to_owned();
        partial.push(".en-preparation");
        let partial = PathBuf::from(partial);
        if partial.exists() {
            std::fs::remove_dir_all(&partial)
                .with_context(|| format!("{} ne peut pas être effacé", partial.display()))?;
        }
        let mut quiet = std::io::sink();
        let progress: &mut dyn Write = if arguments.json { &mut quiet } else { out };
        let made = create(&partial, &settings, Arc::clone(&clock), Arc::clone(&chance), progress)?;
        std::fs::rename(&partial, data)?;
        made
    };
    let mut application = Application::build(&settings, InstanceKind::Demo, clock, chance)?;
    // Whoever else can reach it must sign in like anywhere.
    if arguments.listen.ip().is_loopback() && !arguments.expose {
        application = application.with_demonstration(door(&known));
    }
    announce(arguments, data, application.address, &known, out)?;
    application.run(Signals::Heed)?;
    Ok(ExitCode::SUCCESS)
}

/// The people whom the sign-in page offers.
#[must_use]
pub fn door(known: &WaysIn) -> Demonstration {
    let people = known.accounts.iter().map(|a| DemonstrationPerson {
        login: a.login.clone(),
        name: a.name.clone(),
        organisation: a.organisation.clone(),
        profession: a.profession.clone(),
        function: a.function.clone(),
    });
    Demonstration { people: people.collect() }
}

fn refuse_real(settings: &Settings) -> Result<()> {
    let address = database_address(settings);
    match Store::kind_of(&address)? {
        Some(kind) if kind == InstanceKind::Demo.code() => {
            keyring(settings, InstanceKind::Demo).map(drop).map_err(anyhow::Error::new)
        }
        Some(_) | None => bail!(
            "ce dossier n'est pas celui d'une démonstration : donnez-en un autre avec --data, rien n'a été touché"
        ),
    }
}

fn announce(
    arguments: &DemoArguments,
    data: &Path,
    address: SocketAddr,
    known: &WaysIn,
    out: &mut dyn Write,
) -> Result<()> {
    let base_url = format!("https://localhost:{}", address.port());
    let ca_file = std::fs::canonicalize(data)?.join("certs").join("ca.pem");
    if arguments.json {
        let line = Announcement { base_url, ca_file, accounts: &known.accounts, pathways: &known.pathways };
        writeln!(out, "{}", serde_json::to_string(&line)?)?;
        return Ok(out.flush()?);
    }
    writeln!(out, "\nLa démonstration répond à {base_url} (certificat : {})\n", ca_file.display())?;
    writeln!(out, "Personnes (identifiants, mots de passe et codes : {}) :", data.join(WAYS_IN).display())?;
    for a in &known.accounts {
        writeln!(out, "  {:<16} {:<18} {:<36} {}", a.login, a.name, a.organisation, a.profession)?;
    }
    writeln!(out, "\nParcours :")?;
    for p in &known.pathways {
        writeln!(out, "  {}  {}", p.id, p.story)?;
    }
    writeln!(
        out,
        "\nÀ essayer dans un autre terminal :\n  curl --cacert {} {base_url}/api/v1/openapi.json\n  cargo run --release -- audit verify --data {}\n\nCtrl-C arrête le serveur.",
        ca_file.display(),
        data.display()
    )?;
    Ok(out.flush()?)
}

#[cfg(test)]
mod tests;
