namespace KawaOrleans.ClientSample.Ndjson;

/// <summary>A line of a file is no event that can be imported.</summary>
internal sealed class BadLineException(string path, long number, string reason)
    : Exception($"{Path.GetFileName(path)}, line {number}: {reason}.")
{
    /// <summary>The line's number, from 1.</summary>
    public long Number => number;
}
