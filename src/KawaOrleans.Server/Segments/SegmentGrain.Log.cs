using Microsoft.Extensions.Logging;

namespace KawaOrleans.Server.Segments;

internal sealed partial class SegmentGrain
{
    [LoggerMessage(1201, LogLevel.Information, "Segment {Segment} of log {Log} opened for writing, opening {Opening}")]
    private partial void LogOpened(Guid segment, string log, Guid opening);

    [LoggerMessage(1202, LogLevel.Information, "Segment {Segment} of log {Log} is to end, at {Position} here: rolling")]
    private partial void LogRolling(Guid segment, string log, long position);

    [LoggerMessage(1203, LogLevel.Warning, "Segment {Segment}: the directory did not answer the roll ({Reason}); callers ask it themselves")]
    private partial void LogRollUnanswered(Guid segment, string reason);

    [LoggerMessage(1204, LogLevel.Warning, "Segment {Segment}: another activation took the write handle")]
    private partial void LogHandleTaken(Guid segment);

    [LoggerMessage(1207, LogLevel.Error, "Segment {Segment} failed: {Reason}")]
    private partial void LogFault(Guid segment, string reason);

    [LoggerMessage(1208, LogLevel.Warning, "Segment {Segment} of log {Log}: an append is not acknowledged: {Reason}")]
    private partial void LogNotAcknowledged(Guid segment, string log, string reason);
}
