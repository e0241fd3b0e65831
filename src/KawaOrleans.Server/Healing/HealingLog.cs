using KawaOrleans.Server.Protocol;
using Microsoft.Extensions.Logging;

namespace KawaOrleans.Server.Healing;

/// <summary>What operators are told of healing.</summary>
internal static partial class HealingLog
{
    [LoggerMessage(1501, LogLevel.Information, "Segment {Segment} of log {Log} was {Lack} here and is whole again")]
    public static partial void Mended(this ILogger logger, Guid segment, string log, ReplicaLack lack);

    [LoggerMessage(1502, LogLevel.Warning, "Segment {Segment} of log {Log} is {Lack} here and stays so for now: {Reason}")]
    public static partial void NotMended(this ILogger logger, Guid segment, string log, ReplicaLack lack, string reason);

    [LoggerMessage(1503, LogLevel.Information, "This node took a replica of segment {Segment} of log {Log}")]
    public static partial void Taken(this ILogger logger, Guid segment, string log);

    [LoggerMessage(1504, LogLevel.Warning, "This node did not get a replica of segment {Segment} of log {Log} yet: {Reason}")]
    public static partial void NotTaken(this ILogger logger, Guid segment, string log, string reason);

    [LoggerMessage(1505, LogLevel.Error, "Segment {Segment} of log {Log} does not verify here: {Problem}")]
    public static partial void Damaged(this ILogger logger, Guid segment, string log, string problem);

    [LoggerMessage(1506, LogLevel.Warning, "A pass over the replicas was cut short and is repeated: {Reason}")]
    public static partial void PassFailed(this ILogger logger, string reason);

    [LoggerMessage(1507, LogLevel.Warning, "Segment {Segment} of log {Log} is open on a lost node and not ended yet: {Reason}")]
    public static partial void StaysOpen(this ILogger logger, Guid segment, string log, string reason);
}
