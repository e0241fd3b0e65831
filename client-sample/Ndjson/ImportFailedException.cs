namespace KawaOrleans.ClientSample.Ndjson;

/// <summary>An import ended early. The message says exactly which lines are in the log.</summary>
internal sealed class ImportFailedException(EventFile file, long appended, int underWay, Exception reason)
    : Exception(Describe(file, appended, underWay, reason), reason)
{
    /// <summary>How many events are in the log for certain: the first ones of the file.</summary>
    public long Appended => appended;

    private static string Describe(EventFile file, long appended, int underWay, Exception reason)
    {
        var why = reason is OperationCanceledException ? "stopped" : reason.Message.TrimEnd('.');
        var isIn = appended == 0 ? "No event was appended" : $"Lines 1 to {appended} of {file.Events} were appended";
        var unknown = reason is UnknownOutcomeException ? $"; of lines {appended + 1} to {appended + underWay} it is not known" : "";
        return $"{Path.GetFileName(file.Path)}: {why}. {isIn}{unknown}.";
    }
}
