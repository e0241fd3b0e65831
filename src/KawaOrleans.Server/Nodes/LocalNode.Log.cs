using Microsoft.Extensions.Logging;

namespace KawaOrleans.Server.Nodes;

internal sealed partial class LocalNode
{
    [LoggerMessage(1101, LogLevel.Information, "Prepared segment {Segment} of log {Log} from position {Base}, {Bytes} bytes")]
    private partial void LogPrepared(Guid segment, string log, long @base, long bytes);

    [LoggerMessage(1102, LogLevel.Information, "Fenced segment {Segment} of log {Log} at {Position}")]
    private partial void LogFenced(Guid segment, string log, long position);

    [LoggerMessage(1103, LogLevel.Information, "Sealed segment {Segment} of log {Log} at {End}")]
    private partial void LogSealed(Guid segment, string log, long end);

    [LoggerMessage(1104, LogLevel.Warning, "Segment {Segment} of log {Log} ends at {Tail} here, the chain says {End}: it stays fenced until it is completed")]
    private partial void LogShort(Guid segment, string log, long tail, long end);

    [LoggerMessage(1105, LogLevel.Information, "Set aside segment {Segment} ({Path}): {Reason}")]
    private partial void LogSetAside(Guid segment, string path, string reason);

    [LoggerMessage(1106, LogLevel.Error, "Segment {Segment} does not follow chain version {Version} of log {Log} until this node restarts: {Problem}")]
    private partial void LogNotFollowed(Guid segment, long version, string log, string problem);

    [LoggerMessage(1107, LogLevel.Debug, "The next segment's file of log {LogId} is ready, {Bytes} bytes")]
    private partial void LogSpare(Guid logId, long bytes);

    [LoggerMessage(1108, LogLevel.Warning, "The next segment's file of log {LogId}, {Bytes} bytes, could not be made ahead: {Reason}")]
    private partial void LogNoSpare(Guid logId, long bytes, string reason);

    [LoggerMessage(1110, LogLevel.Error, "Segment {Segment} of log {Log} could not be set aside and stays where it is: {Problem}")]
    private partial void LogNotSetAside(Guid segment, string log, string problem);
}
