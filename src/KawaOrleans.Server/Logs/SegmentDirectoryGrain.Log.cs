using Microsoft.Extensions.Logging;

namespace KawaOrleans.Server.Logs;

internal partial class SegmentDirectoryGrain
{
    [LoggerMessage(1301, LogLevel.Warning, "Log {Log} takes no appends now: {Reason}")]
    private partial void LogNotWritable(string log, string reason);

    [LoggerMessage(1302, LogLevel.Information, "Log {Log} was deleted")]
    private partial void LogDeleted(string log);

    [LoggerMessage(1303, LogLevel.Warning, "The chain of log {Log} was written anew: version {Version}, {Segments} segments. Given up: {Losses}")]
    private partial void LogRebuilt(string log, long version, int segments, string losses);
}
