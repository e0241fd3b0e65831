using KawaOrleans.Server.Protocol;
using Microsoft.Extensions.Logging;

namespace KawaOrleans.Server.Healing;

internal sealed partial class Healer
{
    [LoggerMessage(1501, LogLevel.Information, "Segment {Segment} of log {Log} was {Lack} here and is whole again")]
    private partial void LogMended(Guid segment, string log, ReplicaLack lack);

    [LoggerMessage(1502, LogLevel.Warning, "Segment {Segment} of log {Log} is {Lack} here and stays so for now: {Reason}")]
    private partial void LogNotMended(Guid segment, string log, ReplicaLack lack, string reason);

    [LoggerMessage(1503, LogLevel.Information, "This node took a replica of segment {Segment} of log {Log}")]
    private partial void LogTaken(Guid segment, string log);

    [LoggerMessage(1504, LogLevel.Warning, "This node did not get a replica of segment {Segment} of log {Log} yet: {Reason}")]
    private partial void LogNotTaken(Guid segment, string log, string reason);

    [LoggerMessage(1505, LogLevel.Error, "Segment {Segment} of log {Log} does not verify here: {Problem}")]
    private partial void LogDamaged(Guid segment, string log, string problem);

    [LoggerMessage(1507, LogLevel.Warning, "Segment {Segment} of log {Log} is open on a lost node and not ended yet: {Reason}")]
    private partial void LogStaysOpen(Guid segment, string log, string reason);

    [LoggerMessage(1506, LogLevel.Warning, "A pass over the replicas was cut short and is repeated: {Reason}")]
    private partial void LogPassFailed(string reason);
}
