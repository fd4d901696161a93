//! Settings: what is read, and what is refused.

use super::*;

fn environment(pairs: &[(&str, &str)]) -> BTreeMap<String, String> {
    pairs.iter().map(|(k, v)| ((*k).to_owned(), (*v).to_owned())).collect()
}

#[test]
fn defaults_hold_and_the_environment_comes_after_the_file() {
    let data = tempfile::tempdir().unwrap();
    let settings = Settings::read(data.path(), &environment(&[("RELAIS_TEST_POSTGRES", "x")])).unwrap();
    assert_eq!(settings.listen.to_string(), LISTEN);
    assert_eq!(settings.database, Database::Sqlite(data.path().join("relais.db")));
    assert_eq!(settings.certificate, data.path().join("certs/server.pem"));
    std::fs::write(
        data.path().join(FILE),
        "listen = \"127.0.0.1:1\"\npublic_name = \"pre.ville.example\"\nkek_file = \"/etc/relais/kek\"\n",
    )
    .unwrap();
    let settings =
        Settings::read(data.path(), &environment(&[("RELAIS_LISTEN", "[::1]:0"), ("PATH", "x")])).unwrap();
    assert_eq!(settings.listen.to_string(), "[::1]:0");
    assert_eq!(settings.public_name, "pre.ville.example");
    assert_eq!(settings.kek_file.as_deref(), Some(Path::new("/etc/relais/kek")));
}

#[test]
fn everything_wrong_is_said_at_once_and_nothing_is_guessed() {
    let data = tempfile::tempdir().unwrap();
    std::fs::write(
        data.path().join(FILE),
        "lisen = \"127.0.0.1:1\"\nlog_level = 3\nlog_format = \"xml\"\ndatabase = \"mysql://x\"\n",
    )
    .unwrap();
    let ConfigError(errors) = Settings::read(
        data.path(),
        &environment(&[("RELAIS_LISTEN", "here"), ("RELAIS_LISTNE", "x"), ("RELAIS_PUBLIC_NAME", "a b")]),
    )
    .unwrap_err();
    assert_eq!(errors.len(), 7, "{errors:?}");
    std::fs::write(data.path().join(FILE), "listen = ").unwrap();
    let ConfigError(errors) = Settings::read(data.path(), &environment(&[])).unwrap_err();
    assert!(matches!(errors.as_slice(), [SettingError::NotToml { .. }]), "{errors:?}");
}

#[test]
fn thresholds_have_usual_values_and_bounds() {
    let data = tempfile::tempdir().unwrap();
    let read = |pairs: &[(&str, &str)]| Settings::read(data.path(), &environment(pairs));
    assert_eq!(read(&[]).unwrap().thresholds, Thresholds::default());
    let set = read(&[("RELAIS_WATCH_OPENINGS_PER_HOUR", "30"), ("RELAIS_WATCH_DORMANT_DAYS", "60")]);
    let set = set.unwrap().thresholds;
    assert_eq!((set.bulk, set.dormant_days, set.refusals), (30, 60, 5));
    for (name, value) in [
        ("RELAIS_WATCH_OPENINGS_PER_HOUR", "0"),
        ("RELAIS_WATCH_REFUSALS_PER_HOUR", "-1"),
        ("RELAIS_WATCH_READINGS_WITHOUT_ACT", "many"),
        ("RELAIS_WATCH_DORMANT_DAYS", "1"),
        ("RELAIS_WATCH_WINDOW_DAYS", "93"),
    ] {
        let ConfigError(errors) = read(&[(name, value)]).unwrap_err();
        assert!(matches!(errors.as_slice(), [SettingError::Value { .. }]), "{name} {errors:?}");
    }
}

#[test]
fn witnesses_are_tables_of_the_file_and_each_thing_wrong_is_said() {
    let data = tempfile::tempdir().unwrap();
    let key = |seed| {
        let key = crate::crypto::sign::SigningKey::from_seed(&[seed; 32]).unwrap();
        crate::audit::Cosigner::new("w.example/temoin", key).unwrap().public().to_string()
    };
    let write = |text: String| std::fs::write(data.path().join(FILE), text).unwrap();
    let read = || Settings::read(data.path(), &environment(&[]));
    let one = |url: &str, vkey: &str| format!("[[witness]]\nurl = \"{url}\"\nvkey = \"{vkey}\"\n");
    let two = format!(
        "policy = \"temoins.txt\"\n{}ca_file = \"w.pem\"\n{}",
        one("https://a", &key(1)),
        one("https://b", &key(2))
    );
    write(two);
    let settings = read().unwrap();
    assert_eq!(settings.witnesses.len(), 2);
    assert_eq!(settings.witnesses[0].ca_file, Some(data.path().join("w.pem")));
    assert_eq!(settings.policy, Some(data.path().join("temoins.txt")));
    for (text, words) in [
        (one("http://a", &key(1)), "https://"),
        (one("https://a", "x+y"), "vkey"),
        ("[[witness]]\nurl = \"https://a\"\n".to_owned(), "`vkey` manque"),
        (format!("{}port = 3\n", one("https://a", &key(1))), "`port`"),
        (format!("{}{}", one("https://a", &key(1)), one("https://b", &key(1))), "n° 2"),
        ("witness = \"https://a\"\n".to_owned(), "witness"),
        ("witness = [\"https://a\"]\n".to_owned(), "[[witness]]"),
    ] {
        write(text.clone());
        let said = read().unwrap_err().to_string();
        assert!(said.contains(words), "{text}: {said}");
    }
}

#[test]
fn a_secret_comes_by_file_and_is_not_printed() {
    let data = tempfile::tempdir().unwrap();
    let file = data.path().join("address");
    std::fs::write(&file, "postgres://relais:hunter2@db/relais\n").unwrap();
    let by_file = ("RELAIS_DATABASE_FILE", file.to_str().unwrap());
    let settings = Settings::read(data.path(), &environment(&[by_file])).unwrap();
    assert_eq!(settings.database, Database::Postgres("postgres://relais:hunter2@db/relais".to_owned()));
    assert!(!format!("{settings:?}").contains("hunter2"));
    let both = environment(&[by_file, ("RELAIS_DATABASE", "sqlite:x")]);
    assert_eq!(
        Settings::read(data.path(), &both).unwrap_err(),
        ConfigError(vec![SettingError::TwoDatabases])
    );
}

#[test]
fn measures_are_off_unless_asked_for_and_stay_on_this_machine() {
    let data = tempfile::tempdir().unwrap();
    let write = |text: &str| std::fs::write(data.path().join(FILE), text).unwrap();
    let read = |pairs: &[(&str, &str)]| Settings::read(data.path(), &environment(pairs));
    assert_eq!(read(&[]).unwrap().metrics, None);
    write("[metrics]\nlisten = \"127.0.0.1:9464\"\n");
    assert_eq!(read(&[]).unwrap().metrics.unwrap().to_string(), "127.0.0.1:9464");
    let set = read(&[("RELAIS_METRICS_LISTEN", "[::1]:1")]).unwrap();
    assert_eq!(set.metrics.unwrap().to_string(), "[::1]:1");
    for (text, words) in [
        ("[metrics]\nlisten = \"0.0.0.0:9464\"\n", "0.0.0.0:9464 peut être jointe d'ailleurs"),
        ("[metrics]\nlisten = \"[::]:9464\"\n", "bouclage"),
        ("[metrics]\nlisten = \"192.0.2.7:9464\"\n", "bouclage"),
        ("[metrics]\nlisten = \"9464\"\n", "`metrics.listen`"),
        ("[metrics]\nlisten = 9464\n", "guillemets"),
        ("[metrics]\nport = \"9464\"\n", "`metrics.port`"),
        ("metrics = \"127.0.0.1:9464\"\n", "`metrics`"),
        ("metrics_listen = \"127.0.0.1:9464\"\n", "[metrics] listen"),
    ] {
        write(text);
        let said = read(&[]).unwrap_err().to_string();
        assert!(said.contains(words), "{text}: {said}");
    }
}

#[test]
fn the_room_to_be_kept_on_the_disk_has_bounds() {
    let data = tempfile::tempdir().unwrap();
    let read = |value: &str| Settings::read(data.path(), &environment(&[("RELAIS_DISK_HEADROOM", value)]));
    assert_eq!(Settings::read(data.path(), &environment(&[])).unwrap().disk_headroom, 128 * 1024 * 1024);
    assert_eq!(read("512").unwrap().disk_headroom, 512 * 1024 * 1024);
    for bad in ["0", "15", "1048577", "-1", "128M", ""] {
        assert!(read(bad).is_err(), "{bad}");
    }
}
