//! The stored form of definitions, counts and progress.
//!
//! A field that is empty, off or zero is left out, and read back as that: most jobs use few fields. What is left out
//! is the type's nothing, never a default of the product, which may change.

use std::borrow::Cow;

use serde::{Deserialize, Serialize};

use super::chain::{ParentsRecord, RoundRecord, parents_from, parents_record, round, round_record};
use super::objective::{ObjectivesRecord, objectives_from, objectives_record};
use super::policy::{
    CatchUpRecord, OnUnknownRecord, OverlapRecord, RetryRecord, ShadowRecord, catch_up_from,
    catch_up_record, on_unknown_from, on_unknown_record, overlap_from, overlap_record, retry_from,
    retry_record, shadow_from, shadow_record,
};
use super::run::{StretchRecord, stretch, stretch_record};
use super::terms::{TermsRecord, terms_from, terms_record};
use super::{AsWord, DecodeError, Definition, is_default, job_name, malformed};
use crate::model::{
    Constraint, Container, ContainerType, Duration, EnvVar, ExternalVolume, Fetch, Fitness,
    Incarnation, Job, JobStats, Label, Network, NetworkInfo, NetworkProtocol, Operator,
    ParentTerms, Period, PortMapping, Priority, Progress, Property, Resources, Scalar, Timestamp,
    Volume, VolumeMode, When,
};

pub(super) type Text<'a> = Cow<'a, str>;

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(super) struct DefinitionRecord<'a> {
    incarnation: u64,
    revision: u64,
    accepted_at: AsWord<Timestamp>,
    job: JobRecord<'a>,
}

pub(super) fn definition_record(
    incarnation: Incarnation,
    revision: u64,
    accepted_at: Timestamp,
    job: &Job,
) -> DefinitionRecord<'_> {
    DefinitionRecord {
        incarnation: incarnation.0,
        revision,
        accepted_at: AsWord(accepted_at),
        job: job_record(job),
    }
}

pub(super) fn definition(record: DefinitionRecord<'_>) -> Result<Definition, DecodeError> {
    let DefinitionRecord { incarnation, revision, accepted_at, job } = record;
    Ok(Definition {
        incarnation: Incarnation(incarnation),
        revision,
        accepted_at: accepted_at.0,
        job: job_from(job)?,
    })
}

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(super) struct StatsRecord<'a> {
    #[serde(default, skip_serializing_if = "is_default")]
    success_count: u64,
    #[serde(default, skip_serializing_if = "is_default")]
    error_count: u64,
    #[serde(default, skip_serializing_if = "is_default")]
    errors_since_last_success: u64,
    #[serde(default, skip_serializing_if = "is_default")]
    last_success: Text<'a>,
    #[serde(default, skip_serializing_if = "is_default")]
    last_error: Text<'a>,
}

pub(super) fn stats_record(stats: &JobStats) -> StatsRecord<'_> {
    let JobStats {
        success_count,
        error_count,
        errors_since_last_success,
        last_success,
        last_error,
    } = stats;
    StatsRecord {
        success_count: *success_count,
        error_count: *error_count,
        errors_since_last_success: *errors_since_last_success,
        last_success: last_success.into(),
        last_error: last_error.into(),
    }
}

pub(super) fn stats(record: StatsRecord<'_>) -> JobStats {
    let StatsRecord {
        success_count,
        error_count,
        errors_since_last_success,
        last_success,
        last_error,
    } = record;
    JobStats {
        success_count,
        error_count,
        errors_since_last_success,
        last_success: last_success.into_owned(),
        last_error: last_error.into_owned(),
    }
}

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(super) struct ProgressRecord<'a> {
    decided_through: AsWord<Timestamp>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    stretch: Option<StretchRecord<'a>>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    boot_id: Option<Text<'a>>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    rounds: Vec<RoundRecord>,
}

pub(super) fn progress_record(progress: &Progress) -> ProgressRecord<'_> {
    let Progress { decided_through, stretch, boot_id, rounds } = progress;
    ProgressRecord {
        decided_through: AsWord(*decided_through),
        stretch: stretch.as_ref().map(stretch_record),
        boot_id: boot_id.as_deref().map(Text::from),
        rounds: rounds.iter().map(round_record).collect(),
    }
}

pub(super) fn progress(record: ProgressRecord<'_>) -> Result<Progress, DecodeError> {
    let ProgressRecord { decided_through, stretch: record, boot_id, rounds } = record;
    Ok(Progress {
        decided_through: decided_through.0,
        stretch: record.map(stretch).transpose()?,
        boot_id: boot_id.map(Cow::into_owned),
        rounds: rounds.into_iter().map(round).collect(),
    })
}

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct JobRecord<'a> {
    name: Text<'a>,
    #[serde(default, skip_serializing_if = "is_default")]
    command: Text<'a>,
    #[serde(default, skip_serializing_if = "is_default")]
    shell: bool,
    when: WhenRecord<'a>,
    epsilon: PeriodRecord<'a>,
    #[serde(default, skip_serializing_if = "is_default")]
    executor: Text<'a>,
    #[serde(default, skip_serializing_if = "is_default")]
    executor_flags: Text<'a>,
    #[serde(default, skip_serializing_if = "is_default")]
    task_info_data: Text<'a>,
    #[serde(default, skip_serializing_if = "is_default")]
    retries: i64,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    retry: Option<RetryRecord<'a>>,
    #[serde(default, skip_serializing_if = "is_default")]
    owner: Text<'a>,
    #[serde(default, skip_serializing_if = "is_default")]
    owner_name: Text<'a>,
    #[serde(default, skip_serializing_if = "is_default")]
    description: Text<'a>,
    #[serde(default, skip_serializing_if = "is_default")]
    is_async: bool,
    resources: ResourcesRecord,
    #[serde(default, skip_serializing_if = "is_default")]
    disabled: bool,
    #[serde(default, skip_serializing_if = "is_default")]
    soft_error: bool,
    #[serde(default, skip_serializing_if = "is_default")]
    data_processing: bool,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    fetch: Vec<FetchRecord<'a>>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    uris: Vec<Text<'a>>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    environment: Vec<EnvVarRecord<'a>>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    arguments: Vec<Text<'a>>,
    /// As versions 1 and 2 say it. Read, never written.
    #[serde(default, skip_serializing)]
    high_priority: bool,
    /// Left out where it is normal.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    priority: Option<AsWord<Priority>>,
    #[serde(default, skip_serializing_if = "is_default")]
    run_as_user: Text<'a>,
    #[serde(default, skip_serializing_if = "is_default")]
    max_completion_secs: u64,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    kill_grace: Option<PeriodRecord<'a>>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    disable_after_failures: Option<u32>,
    /// Always written: what its absence means is what jobs of versions 1 and 2 get.
    #[serde(default)]
    on_unknown: Option<OnUnknownRecord<'a>>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    container: Option<ContainerRecord<'a>>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    constraints: Vec<ConstraintRecord<'a>>,
    /// Since version 6; left out where it is the default.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    placement: Option<AsWord<Fitness>>,
    overlap: OverlapRecord,
    catch_up: CatchUpRecord,
    /// Since version 4; left out where its occurrences are launched.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    shadow: Option<ShadowRecord>,
    /// Since version 7, as the two after it; left out where it says nothing.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    objectives: Option<ObjectivesRecord<'a>>,
    #[serde(default, skip_serializing_if = "is_default")]
    runbook: Text<'a>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    labels: Vec<(Text<'a>, Text<'a>)>,
}

fn job_record(job: &Job) -> JobRecord<'_> {
    let Job {
        name,
        command,
        shell,
        when,
        epsilon,
        executor,
        executor_flags,
        task_info_data,
        retries,
        retry,
        owner,
        owner_name,
        description,
        is_async,
        resources,
        disabled,
        soft_error,
        data_processing,
        fetch,
        uris,
        environment,
        arguments,
        priority,
        run_as_user,
        max_completion_secs,
        kill_grace,
        disable_after_failures,
        on_unknown,
        container,
        constraints,
        placement,
        overlap,
        catch_up,
        shadow,
        objectives,
        runbook,
        labels,
    } = job;
    JobRecord {
        name: name.as_str().into(),
        command: command.into(),
        shell: *shell,
        when: when_record(when),
        epsilon: period_record(epsilon),
        executor: executor.into(),
        executor_flags: executor_flags.into(),
        task_info_data: task_info_data.into(),
        retries: *retries,
        retry: retry_record(retry),
        owner: owner.into(),
        owner_name: owner_name.into(),
        description: description.into(),
        is_async: *is_async,
        resources: resources_record(*resources),
        disabled: *disabled,
        soft_error: *soft_error,
        data_processing: *data_processing,
        fetch: fetch.iter().map(fetch_record).collect(),
        uris: borrowed(uris),
        environment: environment.iter().map(env_var_record).collect(),
        arguments: borrowed(arguments),
        high_priority: false,
        priority: (*priority != Priority::Normal).then_some(AsWord(*priority)),
        run_as_user: run_as_user.into(),
        max_completion_secs: *max_completion_secs,
        kill_grace: kill_grace.as_ref().map(period_record),
        disable_after_failures: *disable_after_failures,
        on_unknown: Some(on_unknown_record(on_unknown)),
        container: container.as_ref().map(container_record),
        constraints: constraints.iter().map(constraint_record).collect(),
        placement: (*placement != Fitness::default()).then_some(AsWord(*placement)),
        overlap: overlap_record(*overlap),
        catch_up: catch_up_record(*catch_up),
        shadow: shadow_record(*shadow),
        objectives: objectives_record(objectives),
        runbook: runbook.into(),
        labels: labels.iter().map(|it| ((&it.name).into(), (&it.value).into())).collect(),
    }
}

fn job_from(record: JobRecord<'_>) -> Result<Job, DecodeError> {
    let JobRecord {
        name,
        command,
        shell,
        when,
        epsilon,
        executor,
        executor_flags,
        task_info_data,
        retries,
        retry,
        owner,
        owner_name,
        description,
        is_async,
        resources,
        disabled,
        soft_error,
        data_processing,
        fetch,
        uris,
        environment,
        arguments,
        high_priority,
        priority,
        run_as_user,
        max_completion_secs,
        kill_grace,
        disable_after_failures,
        on_unknown,
        container,
        constraints,
        placement,
        overlap,
        catch_up,
        shadow,
        objectives,
        runbook,
        labels,
    } = record;
    let old_priority = if high_priority { Priority::High } else { Priority::Normal };
    Ok(Job {
        name: job_name(&name)?,
        command: command.into_owned(),
        shell,
        when: when_from(when)?,
        epsilon: period_from(epsilon)?,
        executor: executor.into_owned(),
        executor_flags: executor_flags.into_owned(),
        task_info_data: task_info_data.into_owned(),
        retries,
        retry: retry_from(retry)?,
        owner: owner.into_owned(),
        owner_name: owner_name.into_owned(),
        description: description.into_owned(),
        is_async,
        resources: resources_from(resources),
        disabled,
        soft_error,
        data_processing,
        fetch: fetch.into_iter().map(fetch_from).collect(),
        uris: owned(uris),
        environment: environment.into_iter().map(env_var_from).collect(),
        arguments: owned(arguments),
        priority: priority.map_or(old_priority, |word| word.0),
        run_as_user: run_as_user.into_owned(),
        max_completion_secs,
        kill_grace: kill_grace.map(period_from).transpose()?,
        disable_after_failures,
        on_unknown: on_unknown_from(on_unknown)?,
        container: container.map(container_from),
        constraints: constraints.into_iter().map(constraint_from).collect(),
        placement: placement.map(|word| word.0).unwrap_or_default(),
        overlap: overlap_from(overlap),
        catch_up: catch_up_from(catch_up),
        shadow: shadow_from(shadow),
        objectives: objectives_from(objectives)?,
        runbook: runbook.into_owned(),
        labels: labels
            .into_iter()
            .map(|(name, value)| Label { name: name.into_owned(), value: value.into_owned() })
            .collect(),
    })
}

pub(super) fn borrowed(texts: &[String]) -> Vec<Text<'_>> {
    texts.iter().map(Text::from).collect()
}

pub(super) fn owned(texts: Vec<Text<'_>>) -> Vec<String> {
    texts.into_iter().map(Cow::into_owned).collect()
}

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
enum WhenRecord<'a> {
    Schedule(TermsRecord<'a>),
    /// As versions 1 and 2 say it. Read, never written.
    Parents(Vec<Text<'a>>),
    After(ParentsRecord<'a>),
}

fn when_record(when: &When) -> WhenRecord<'_> {
    match when {
        When::Schedule(terms) => WhenRecord::Schedule(terms_record(terms)),
        When::Parents(terms) => WhenRecord::After(parents_record(terms)),
    }
}

fn when_from(record: WhenRecord<'_>) -> Result<When, DecodeError> {
    Ok(match record {
        WhenRecord::Schedule(record) => When::Schedule(terms_from(record)?),
        WhenRecord::Parents(names) => When::Parents(ParentTerms::plain(
            names.iter().map(|name| job_name(name)).collect::<Result<_, _>>()?,
        )),
        WhenRecord::After(record) => When::Parents(parents_from(record)?),
    })
}

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(super) struct PeriodRecord<'a> {
    text: Text<'a>,
    secs: i64,
    #[serde(default, skip_serializing_if = "is_default")]
    nanos: i32,
}

pub(super) fn period_record(period: &Period) -> PeriodRecord<'_> {
    let Period { text, span } = period;
    PeriodRecord { text: text.into(), secs: span.as_secs(), nanos: span.subsec_nanos() }
}

pub(super) fn period_from(record: PeriodRecord<'_>) -> Result<Period, DecodeError> {
    let PeriodRecord { text, secs, nanos } = record;
    let same_sign = secs == 0 || nanos == 0 || (secs < 0) == (nanos < 0);
    if nanos.unsigned_abs() > 999_999_999 || !same_sign {
        return Err(malformed(format!("{secs} s and {nanos} ns are no span")));
    }
    Ok(Period { text: text.into_owned(), span: Duration::new(secs, nanos) })
}

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(super) struct ResourcesRecord {
    cpu_thousandths: u64,
    mem_thousandths: u64,
    disk_thousandths: u64,
    /// Since version 6.
    #[serde(default, skip_serializing_if = "is_default")]
    ports: u32,
}

pub(super) fn resources_record(resources: Resources) -> ResourcesRecord {
    let Resources { cpus, mem, disk, ports } = resources;
    ResourcesRecord {
        cpu_thousandths: cpus.thousandths(),
        mem_thousandths: mem.thousandths(),
        disk_thousandths: disk.thousandths(),
        ports,
    }
}

pub(super) fn resources_from(record: ResourcesRecord) -> Resources {
    let ResourcesRecord { cpu_thousandths, mem_thousandths, disk_thousandths, ports } = record;
    Resources {
        cpus: Scalar::from_thousandths(cpu_thousandths),
        mem: Scalar::from_thousandths(mem_thousandths),
        disk: Scalar::from_thousandths(disk_thousandths),
        ports,
    }
}

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct FetchRecord<'a> {
    uri: Text<'a>,
    #[serde(default, skip_serializing_if = "is_default")]
    executable: bool,
    #[serde(default, skip_serializing_if = "is_default")]
    cache: bool,
    #[serde(default, skip_serializing_if = "is_default")]
    extract: bool,
    #[serde(default, skip_serializing_if = "is_default")]
    output_file: Text<'a>,
}

fn fetch_record(fetch: &Fetch) -> FetchRecord<'_> {
    let Fetch { uri, executable, cache, extract, output_file } = fetch;
    FetchRecord {
        uri: uri.into(),
        executable: *executable,
        cache: *cache,
        extract: *extract,
        output_file: output_file.into(),
    }
}

fn fetch_from(record: FetchRecord<'_>) -> Fetch {
    let FetchRecord { uri, executable, cache, extract, output_file } = record;
    Fetch {
        uri: uri.into_owned(),
        executable,
        cache,
        extract,
        output_file: output_file.into_owned(),
    }
}

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(super) struct EnvVarRecord<'a> {
    name: Text<'a>,
    value: Text<'a>,
    #[serde(default, skip_serializing_if = "is_default")]
    secret: bool,
}

pub(super) fn env_var_record(variable: &EnvVar) -> EnvVarRecord<'_> {
    let EnvVar { name, value, secret } = variable;
    EnvVarRecord { name: name.into(), value: value.into(), secret: *secret }
}

pub(super) fn env_var_from(record: EnvVarRecord<'_>) -> EnvVar {
    let EnvVarRecord { name, value, secret } = record;
    EnvVar { name: name.into_owned(), value: value.into_owned(), secret }
}

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct ConstraintRecord<'a> {
    attribute: Text<'a>,
    operator: AsWord<Operator>,
    value: Text<'a>,
}

fn constraint_record(constraint: &Constraint) -> ConstraintRecord<'_> {
    let Constraint { attribute, operator, value } = constraint;
    ConstraintRecord {
        attribute: attribute.into(),
        operator: AsWord(*operator),
        value: value.into(),
    }
}

fn constraint_from(record: ConstraintRecord<'_>) -> Constraint {
    let ConstraintRecord { attribute, operator, value } = record;
    Constraint {
        attribute: attribute.into_owned(),
        operator: operator.0,
        value: value.into_owned(),
    }
}

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct ContainerRecord<'a> {
    kind: ContainerTypeRecord,
    image: Text<'a>,
    network: NetworkRecord,
    #[serde(default, skip_serializing_if = "is_default")]
    network_name: Text<'a>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    network_infos: Vec<NetworkInfoRecord<'a>>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    volumes: Vec<VolumeRecord<'a>>,
    #[serde(default, skip_serializing_if = "is_default")]
    force_pull_image: bool,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    parameters: Vec<PropertyRecord<'a>>,
}

fn container_record(container: &Container) -> ContainerRecord<'_> {
    let Container {
        kind,
        image,
        network,
        network_name,
        network_infos,
        volumes,
        force_pull_image,
        parameters,
    } = container;
    ContainerRecord {
        kind: match kind {
            ContainerType::Docker => ContainerTypeRecord::Docker,
            ContainerType::Mesos => ContainerTypeRecord::Mesos,
        },
        image: image.into(),
        network: match network {
            Network::Bridge => NetworkRecord::Bridge,
            Network::Host => NetworkRecord::Host,
            Network::User => NetworkRecord::User,
        },
        network_name: network_name.into(),
        network_infos: network_infos.iter().map(network_info_record).collect(),
        volumes: volumes.iter().map(volume_record).collect(),
        force_pull_image: *force_pull_image,
        parameters: parameters.iter().map(property_record).collect(),
    }
}

fn container_from(record: ContainerRecord<'_>) -> Container {
    let ContainerRecord {
        kind,
        image,
        network,
        network_name,
        network_infos,
        volumes,
        force_pull_image,
        parameters,
    } = record;
    Container {
        kind: match kind {
            ContainerTypeRecord::Docker => ContainerType::Docker,
            ContainerTypeRecord::Mesos => ContainerType::Mesos,
        },
        image: image.into_owned(),
        network: match network {
            NetworkRecord::Bridge => Network::Bridge,
            NetworkRecord::Host => Network::Host,
            NetworkRecord::User => Network::User,
        },
        network_name: network_name.into_owned(),
        network_infos: network_infos.into_iter().map(network_info_from).collect(),
        volumes: volumes.into_iter().map(volume_from).collect(),
        force_pull_image,
        parameters: parameters.into_iter().map(property_from).collect(),
    }
}

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
enum ContainerTypeRecord {
    Docker,
    Mesos,
}

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
enum NetworkRecord {
    Bridge,
    Host,
    User,
}

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct NetworkInfoRecord<'a> {
    name: Text<'a>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    protocol: Option<NetworkProtocolRecord>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    labels: Vec<PropertyRecord<'a>>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    port_mappings: Vec<PortMappingRecord<'a>>,
}

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
enum NetworkProtocolRecord {
    Ipv4,
    Ipv6,
}

fn network_info_record(info: &NetworkInfo) -> NetworkInfoRecord<'_> {
    let NetworkInfo { name, protocol, labels, port_mappings } = info;
    NetworkInfoRecord {
        name: name.into(),
        protocol: protocol.map(|protocol| match protocol {
            NetworkProtocol::Ipv4 => NetworkProtocolRecord::Ipv4,
            NetworkProtocol::Ipv6 => NetworkProtocolRecord::Ipv6,
        }),
        labels: labels.iter().map(property_record).collect(),
        port_mappings: port_mappings.iter().map(port_mapping_record).collect(),
    }
}

fn network_info_from(record: NetworkInfoRecord<'_>) -> NetworkInfo {
    let NetworkInfoRecord { name, protocol, labels, port_mappings } = record;
    NetworkInfo {
        name: name.into_owned(),
        protocol: protocol.map(|protocol| match protocol {
            NetworkProtocolRecord::Ipv4 => NetworkProtocol::Ipv4,
            NetworkProtocolRecord::Ipv6 => NetworkProtocol::Ipv6,
        }),
        labels: labels.into_iter().map(property_from).collect(),
        port_mappings: port_mappings.into_iter().map(port_mapping_from).collect(),
    }
}

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct PortMappingRecord<'a> {
    host_port: u32,
    container_port: u32,
    #[serde(default, skip_serializing_if = "is_default")]
    protocol: Text<'a>,
}

fn port_mapping_record(mapping: &PortMapping) -> PortMappingRecord<'_> {
    let PortMapping { host_port, container_port, protocol } = mapping;
    PortMappingRecord {
        host_port: *host_port,
        container_port: *container_port,
        protocol: protocol.into(),
    }
}

fn port_mapping_from(record: PortMappingRecord<'_>) -> PortMapping {
    let PortMappingRecord { host_port, container_port, protocol } = record;
    PortMapping { host_port, container_port, protocol: protocol.into_owned() }
}

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct VolumeRecord<'a> {
    #[serde(default, skip_serializing_if = "is_default")]
    host_path: Text<'a>,
    container_path: Text<'a>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    mode: Option<VolumeModeRecord>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    external: Option<ExternalVolumeRecord<'a>>,
}

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
enum VolumeModeRecord {
    ReadWrite,
    ReadOnly,
}

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct ExternalVolumeRecord<'a> {
    name: Text<'a>,
    provider: Text<'a>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    options: Vec<PropertyRecord<'a>>,
}

fn volume_record(volume: &Volume) -> VolumeRecord<'_> {
    let Volume { host_path, container_path, mode, external } = volume;
    VolumeRecord {
        host_path: host_path.into(),
        container_path: container_path.into(),
        mode: mode.map(|mode| match mode {
            VolumeMode::ReadWrite => VolumeModeRecord::ReadWrite,
            VolumeMode::ReadOnly => VolumeModeRecord::ReadOnly,
        }),
        external: external.as_ref().map(|external| {
            let ExternalVolume { name, provider, options } = external;
            ExternalVolumeRecord {
                name: name.into(),
                provider: provider.into(),
                options: options.iter().map(property_record).collect(),
            }
        }),
    }
}

fn volume_from(record: VolumeRecord<'_>) -> Volume {
    let VolumeRecord { host_path, container_path, mode, external } = record;
    Volume {
        host_path: host_path.into_owned(),
        container_path: container_path.into_owned(),
        mode: mode.map(|mode| match mode {
            VolumeModeRecord::ReadWrite => VolumeMode::ReadWrite,
            VolumeModeRecord::ReadOnly => VolumeMode::ReadOnly,
        }),
        external: external.map(|external| {
            let ExternalVolumeRecord { name, provider, options } = external;
            ExternalVolume {
                name: name.into_owned(),
                provider: provider.into_owned(),
                options: options.into_iter().map(property_from).collect(),
            }
        }),
    }
}

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct PropertyRecord<'a> {
    key: Text<'a>,
    value: Text<'a>,
}

fn property_record(property: &Property) -> PropertyRecord<'_> {
    let Property { key, value } = property;
    PropertyRecord { key: key.into(), value: value.into() }
}

fn property_from(record: PropertyRecord<'_>) -> Property {
    let PropertyRecord { key, value } = record;
    Property { key: key.into_owned(), value: value.into_owned() }
}
