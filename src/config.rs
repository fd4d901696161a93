//! Typed settings of an instance: `relais.toml` in its data folder, then `RELAIS_*` from the environment, secrets by
//! file.
//!
//! INVARIANTS
//! * An unknown key, in the file or in the environment, is refused: a typo must not leave a default in place.
//! * Everything that is wrong is said at once.
//! * The key-encryption key is named here and never read here; no secret is printed by `Debug`.
//!
//! It opens no database and binds no port. The origin of the log is no setting: it is written once, with the instance.

use std::collections::BTreeMap;
use std::fmt;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};

use crate::audit::WitnessKey;
use crate::domain::watch::{self, Thresholds};

/// The file of settings inside a data folder.
pub const FILE: &str = "relais.toml";
/// The database of an instance that names no other.
pub const DATABASE_FILE: &str = "relais.db";
/// Where an instance listens that names nothing else.
const LISTEN: &str = "127.0.0.1:8443";

/// Variables that begin with `RELAIS_` and are not settings: the command line's own, and those of the test suite.
const NOT_SETTINGS: &[&str] =
    &["RELAIS_DATA", "RELAIS_BLESS", "RELAIS_BUILD_MINUTES", "RELAIS_TEST_POSTGRES", "RELAIS_LONG"];

/// Where the data live.
#[derive(Clone, PartialEq, Eq)]
pub enum Database {
    Sqlite(PathBuf),
    /// An address with a password in it: never printed.
    Postgres(String),
}

impl fmt::Debug for Database {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Sqlite(path) => write!(f, "Sqlite({})", path.display()),
            Self::Postgres(_) => f.write_str("Postgres"),
        }
    }
}

/// How log lines look.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LogFormat {
    Text,
    Json,
}

/// From which weight on log lines are written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LogLevel {
    Error,
    Warn,
    Info,
    Debug,
}

/// A witness whom the server shows its checkpoints.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct WitnessSetting {
    /// Its submission prefix, `https://…`.
    pub url: String,
    pub key: WitnessKey,
    /// The authority that certifies it, in PEM; none: those of the system.
    pub ca_file: Option<PathBuf>,
}

/// The settings of an instance.
#[derive(Clone, Debug)]
pub struct Settings {
    /// The data folder.
    pub data: PathBuf,
    /// Port 0 takes any free one.
    pub listen: SocketAddr,
    /// The name by which posts reach the server; its certificate bears it.
    pub public_name: String,
    pub database: Database,
    /// The file of the key-encryption key; outside the data folder, but for a demonstration.
    pub kek_file: Option<PathBuf>,
    /// The file of the key before it, while `relais keys rotate` is not finished.
    pub kek_file_previous: Option<PathBuf>,
    /// The folder of systemd credentials.
    pub credentials: Option<PathBuf>,
    pub log_format: LogFormat,
    pub log_level: LogLevel,
    /// Chain of the server's certificate, in PEM.
    pub certificate: PathBuf,
    /// Its key, mode 0600.
    pub certificate_key: PathBuf,
    /// Bytes to be kept free on the disk of the database: below, nobody new signs in.
    pub disk_headroom: u64,
    /// Where measures are given to a scraper on this machine; none: nowhere.
    pub metrics: Option<SocketAddr>,
    /// From when on something in the log is worth a look.
    pub thresholds: Thresholds,
    /// The `[[witness]]` tables of the file.
    pub witnesses: Vec<WitnessSetting>,
    /// The c2sp.org/tlog-policy against which `audit verify` judges, where it is given no other.
    pub policy: Option<PathBuf>,
}

/// One thing that is wrong with the settings.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SettingError {
    #[error("`{path}` ne peut pas être lu ({why}) : vérifiez le chemin et les droits")]
    Unreadable { path: PathBuf, why: String },
    #[error("`{path}` n'est pas un fichier TOML : {why}")]
    NotToml { path: PathBuf, why: String },
    #[error(
        "réglage inconnu `{name}` dans {place} : corrigez son nom, ou retirez-le ; réglages possibles : {known}"
    )]
    Unknown { name: String, place: &'static str, known: String },
    #[error("le réglage `{name}` doit être un texte entre guillemets")]
    NotText { name: String },
    #[error("le réglage `{name}` n'a pas de valeur possible : attendu {expected}")]
    Value { name: &'static str, expected: &'static str },
    #[error("le témoin n° {number} (`[[witness]]`) : {what}")]
    Witness { number: usize, what: String },
    #[error(
        "`[metrics]` : l'adresse {0} peut être jointe d'ailleurs. Les mesures ne quittent pas cette machine : donnez une adresse de bouclage (127.0.0.1:9464), et faites-les relever par un programme d'ici"
    )]
    MetricsElsewhere(SocketAddr),
    #[error("`database` et `database_file` sont donnés tous les deux : gardez-en un")]
    TwoDatabases,
}

/// Everything that is wrong with the settings, never empty.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub struct ConfigError(pub Vec<SettingError>);

impl fmt::Display for ConfigError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (at, error) in self.0.iter().enumerate() {
            if at > 0 {
                f.write_str("\n")?;
            }
            write!(f, "{error}")?;
        }
        Ok(())
    }
}

const LISTEN_KEY: &str = "listen";
const NAME_KEY: &str = "public_name";
const DATABASE_KEY: &str = "database";
const DATABASE_FILE_KEY: &str = "database_file";
const KEK_KEY: &str = "kek_file";
const KEK_PREVIOUS_KEY: &str = "kek_file_previous";
const FORMAT_KEY: &str = "log_format";
const LEVEL_KEY: &str = "log_level";
const CERTIFICATE_KEY: &str = "certificate";
const CERTIFICATE_KEY_KEY: &str = "certificate_key";
const BULK_KEY: &str = "watch_openings_per_hour";
const REFUSALS_KEY: &str = "watch_refusals_per_hour";
const CURIOSITY_KEY: &str = "watch_readings_without_act";
const DORMANT_KEY: &str = "watch_dormant_days";
const WINDOW_KEY: &str = "watch_window_days";
const POLICY_KEY: &str = "policy";
const HEADROOM_KEY: &str = "disk_headroom";
/// In the file `listen` of the table `[metrics]`.
const METRICS_KEY: &str = "metrics_listen";
/// In the file only.
const METRICS_TABLE: &str = "metrics";
/// In the file only: a table for each.
const WITNESS_TABLES: &str = "witness";

/// Every setting, as in the file; in the environment `RELAIS_` and capitals.
const KNOWN: &[&str] = &[
    LISTEN_KEY,
    NAME_KEY,
    DATABASE_KEY,
    DATABASE_FILE_KEY,
    KEK_KEY,
    KEK_PREVIOUS_KEY,
    FORMAT_KEY,
    LEVEL_KEY,
    CERTIFICATE_KEY,
    CERTIFICATE_KEY_KEY,
    BULK_KEY,
    REFUSALS_KEY,
    CURIOSITY_KEY,
    DORMANT_KEY,
    WINDOW_KEY,
    POLICY_KEY,
    HEADROOM_KEY,
    METRICS_KEY,
];

/// Mebibytes that may be asked to be kept free: from a few batches to a large disk.
const HEADROOM_MIB: std::ops::RangeInclusive<u64> = 16..=1_048_576;
const MIB: u64 = 1024 * 1024;
/// What is kept free where nothing is said.
const USUAL_HEADROOM_MIB: u64 = 128;

/// Values by setting, with what was wrong on the way.
#[derive(Default)]
struct Reading {
    values: BTreeMap<&'static str, String>,
    witnesses: Vec<WitnessSetting>,
    errors: Vec<SettingError>,
}

/// One `[[witness]]` table.
fn witness(table: toml::Value, data: &Path) -> Result<WitnessSetting, String> {
    let toml::Value::Table(table) = table else {
        return Err("écrivez-le en table `[[witness]]`".to_owned());
    };
    let mut texts = BTreeMap::new();
    for (name, value) in table {
        let (true, toml::Value::String(text)) = (["url", "vkey", "ca_file"].contains(&name.as_str()), value)
        else {
            return Err(format!("`{name}` n'y a pas sa place ; textes possibles : url, vkey, ca_file"));
        };
        texts.insert(name, text);
    }
    let url = texts
        .remove("url")
        .filter(|url| url.strip_prefix("https://").is_some_and(|host| !host.is_empty()))
        .ok_or("`url` doit commencer par `https://`")?;
    let vkey = texts.remove("vkey").ok_or("`vkey` manque : la clé publique que le témoin a imprimée")?;
    let key = WitnessKey::parse(&vkey).map_err(|e| format!("`vkey` n'est pas la clé d'un témoin ({e})"))?;
    Ok(WitnessSetting { url, key, ca_file: texts.remove("ca_file").map(|file| data.join(file)) })
}

impl Reading {
    fn known(name: &str) -> Option<&'static str> {
        KNOWN.iter().copied().find(|k| *k == name)
    }

    fn file(&mut self, data: &Path) {
        let path = &data.join(FILE);
        let text = match std::fs::read_to_string(path) {
            Ok(text) => text,
            // No file: an instance may live on defaults and its environment.
            Err(e) if e.kind() == std::io::ErrorKind::NotFound => return,
            Err(e) => {
                self.errors.push(SettingError::Unreadable { path: path.to_owned(), why: e.to_string() });
                return;
            }
        };
        let table = match toml::from_str::<toml::Table>(&text) {
            Ok(table) => table,
            Err(e) => {
                self.errors.push(SettingError::NotToml { path: path.to_owned(), why: e.to_string() });
                return;
            }
        };
        for (name, value) in table {
            match (Self::known(&name), value) {
                (None, toml::Value::Array(tables)) if name == WITNESS_TABLES => {
                    self.read_witnesses(tables, data)
                }
                (None, toml::Value::Table(table)) if name == METRICS_TABLE => self.read_metrics(table),
                // One way to say a thing: a table in the file.
                (Some(METRICS_KEY), _) => self.unknown(name, "relais.toml"),
                (Some(known), toml::Value::String(text)) => {
                    self.values.insert(known, text);
                }
                (Some(_), _) => self.errors.push(SettingError::NotText { name }),
                (None, _) => self.unknown(name, "relais.toml"),
            }
        }
    }

    fn read_witnesses(&mut self, tables: Vec<toml::Value>, data: &Path) {
        for (at, table) in tables.into_iter().enumerate() {
            let number = at.saturating_add(1);
            match witness(table, data) {
                // THREAT: one witness under two addresses would be taken for two.
                Ok(one) if self.witnesses.iter().any(|other| other.key.public() == one.key.public()) => {
                    let what = "cette clé est déjà celle d'un autre".to_owned();
                    self.errors.push(SettingError::Witness { number, what });
                }
                Ok(one) => self.witnesses.push(one),
                Err(what) => self.errors.push(SettingError::Witness { number, what }),
            }
        }
    }

    fn read_metrics(&mut self, table: toml::Table) {
        for (name, value) in table {
            match (name.as_str(), value) {
                ("listen", toml::Value::String(text)) => {
                    self.values.insert(METRICS_KEY, text);
                }
                ("listen", _) => self.errors.push(SettingError::NotText { name: "listen".to_owned() }),
                (_, _) => self.unknown(format!("metrics.{name}"), "relais.toml"),
            }
        }
    }

    /// Where measures are given, if anywhere.
    fn metrics(&mut self) -> Option<SocketAddr> {
        let text = self.get(METRICS_KEY)?;
        match text.parse::<SocketAddr>() {
            Ok(address) if address.ip().is_loopback() => return Some(address),
            // THREAT: measures tell of the activity of the machine; they are for whoever runs it.
            Ok(address) => self.errors.push(SettingError::MetricsElsewhere(address)),
            Err(_) => self.errors.push(SettingError::Value {
                name: "metrics.listen",
                expected: "une adresse de bouclage et un port, par exemple 127.0.0.1:9464",
            }),
        }
        None
    }

    fn unknown(&mut self, name: String, place: &'static str) {
        self.errors.push(SettingError::Unknown {
            name,
            place,
            known: format!("{}, [[witness]], [metrics] listen", in_the_file().join(", ")),
        });
    }

    fn environment(&mut self, environment: &BTreeMap<String, String>) {
        for (name, value) in environment {
            let Some(rest) = name.strip_prefix("RELAIS_") else { continue };
            if NOT_SETTINGS.contains(&name.as_str()) {
                continue;
            }
            match Self::known(&rest.to_lowercase()) {
                Some(known) => {
                    self.values.insert(known, value.clone());
                }
                None => self.unknown(name.clone(), "l'environnement"),
            }
        }
    }

    fn get(&self, key: &'static str) -> Option<&str> {
        self.values.get(key).map(String::as_str)
    }

    fn parsed<T>(
        &mut self,
        key: &'static str,
        default: &str,
        expected: &'static str,
        parse: impl Fn(&str) -> Option<T>,
    ) -> Option<T> {
        let read = parse(self.get(key).unwrap_or(default));
        if read.is_none() {
            self.errors.push(SettingError::Value { name: key, expected });
        }
        read
    }

    fn path(&self, key: &'static str, data: &Path, default: &str) -> PathBuf {
        // An absolute path stays what it is; another is inside the data folder.
        data.join(self.get(key).unwrap_or(default))
    }

    fn database(&mut self, data: &Path) -> Option<Database> {
        let text = match (self.get(DATABASE_KEY), self.get(DATABASE_FILE_KEY)) {
            (Some(_), Some(_)) => {
                self.errors.push(SettingError::TwoDatabases);
                return None;
            }
            (Some(text), None) => text.to_owned(),
            (None, Some(file)) => {
                let path = data.join(file);
                match std::fs::read_to_string(&path) {
                    Ok(text) => text.trim().to_owned(),
                    Err(e) => {
                        self.errors.push(SettingError::Unreadable { path, why: e.to_string() });
                        return None;
                    }
                }
            }
            (None, None) => format!("sqlite:{DATABASE_FILE}"),
        };
        if text.starts_with("postgres://") || text.starts_with("postgresql://") {
            return Some(Database::Postgres(text));
        }
        match text.strip_prefix("sqlite:") {
            Some(path) if !path.is_empty() => Some(Database::Sqlite(data.join(path))),
            Some(_) | None => {
                self.errors.push(SettingError::Value {
                    name: DATABASE_KEY,
                    expected: "`postgres://…` ou `sqlite:CHEMIN`",
                });
                None
            }
        }
    }
}

/// The settings that stand in the file by themselves.
fn in_the_file() -> Vec<&'static str> {
    KNOWN.iter().copied().filter(|name| *name != METRICS_KEY).collect()
}

/// The thresholds of the auditor's console.
fn thresholds(r: &mut Reading) -> Thresholds {
    let mut number = |key, bound: watch::Bound, expected| {
        r.parsed(key, &bound.usual.to_string(), expected, |t| bound.parse(t)).unwrap_or(bound.usual)
    };
    Thresholds {
        bulk: number(BULK_KEY, watch::BULK, "un nombre entier de 5 à 10000, par exemple \"60\""),
        refusals: number(REFUSALS_KEY, watch::REFUSALS, "un nombre entier de 2 à 1000, par exemple \"5\""),
        curiosity: number(
            CURIOSITY_KEY,
            watch::CURIOSITY,
            "un nombre entier de 3 à 10000, par exemple \"20\"",
        ),
        dormant_days: number(
            DORMANT_KEY,
            watch::DORMANT,
            "un nombre de jours de 30 à 730, par exemple \"90\"",
        ),
        window_days: number(WINDOW_KEY, watch::WINDOW, "un nombre de jours de 7 à 92, par exemple \"30\""),
    }
}

fn host_name(text: &str) -> Option<String> {
    let plain = |c: char| c.is_ascii_alphanumeric() || ".-:".contains(c);
    ((1..=253).contains(&text.len()) && text.chars().all(plain)).then(|| text.to_owned())
}

impl Settings {
    /// Reads the settings of the instance in `data`.
    ///
    /// # Errors
    /// Everything that is wrong, at once.
    pub fn read(data: &Path, environment: &BTreeMap<String, String>) -> Result<Self, ConfigError> {
        let mut r = Reading::default();
        r.file(data);
        r.environment(environment);
        let listen =
            r.parsed(LISTEN_KEY, LISTEN, "une adresse et un port, par exemple 127.0.0.1:8443", |t| {
                t.parse().ok()
            });
        let public_name =
            r.parsed(NAME_KEY, "localhost", "un nom de machine, par exemple pre.ville.example", host_name);
        let database = r.database(data);
        let log_format = r.parsed(FORMAT_KEY, "text", "`text` ou `json`", |t| match t {
            "text" => Some(LogFormat::Text),
            "json" => Some(LogFormat::Json),
            _unknown => None,
        });
        let log_level = r.parsed(LEVEL_KEY, "info", "`error`, `warn`, `info` ou `debug`", |t| match t {
            "error" => Some(LogLevel::Error),
            "warn" => Some(LogLevel::Warn),
            "info" => Some(LogLevel::Info),
            "debug" => Some(LogLevel::Debug),
            _unknown => None,
        });
        let thresholds = thresholds(&mut r);
        let headroom = r.parsed(
            HEADROOM_KEY,
            &USUAL_HEADROOM_MIB.to_string(),
            "un nombre de Mio de 16 à 1048576, par exemple \"128\"",
            |t| t.parse().ok().filter(|n| HEADROOM_MIB.contains(n)),
        );
        let metrics = r.metrics();
        let certificate = r.path(CERTIFICATE_KEY, data, "certs/server.pem");
        let certificate_key = r.path(CERTIFICATE_KEY_KEY, data, "certs/server.key");
        let kek_file = r.get(KEK_KEY).map(|file| data.join(file));
        let policy = r.get(POLICY_KEY).map(|file| data.join(file));
        let kek_file_previous = r.get(KEK_PREVIOUS_KEY).map(|file| data.join(file));
        match (listen, public_name, database, log_format, log_level, headroom) {
            (
                Some(listen),
                Some(public_name),
                Some(database),
                Some(log_format),
                Some(log_level),
                Some(headroom),
            ) if r.errors.is_empty() => Ok(Self {
                data: data.to_owned(),
                listen,
                public_name,
                database,
                kek_file,
                kek_file_previous,
                credentials: environment.get("CREDENTIALS_DIRECTORY").map(PathBuf::from),
                log_format,
                log_level,
                certificate,
                certificate_key,
                disk_headroom: headroom.saturating_mul(MIB),
                metrics,
                thresholds,
                witnesses: r.witnesses,
                policy,
            }),
            _incomplete => Err(ConfigError(r.errors)),
        }
    }
}

#[cfg(test)]
mod tests;
