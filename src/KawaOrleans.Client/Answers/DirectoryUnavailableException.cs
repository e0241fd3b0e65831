namespace KawaOrleans;

/// <summary>The grain that coordinates a log (or the catalogue of logs) did not answer in time. Logs that are already open to this
/// client are read and written without it.</summary>
[GenerateSerializer, Alias("kawa.error.directory-unavailable")]
public sealed class DirectoryUnavailableException : KawaException
{
    /// <summary>Creates the exception.</summary>
    public DirectoryUnavailableException(string directory, string reason, Exception? inner = null)
        : base($"The {directory} did not answer: {reason}", inner) => Directory = directory;

    /// <summary>Which one: <c>directory of log 'name'</c> or <c>catalogue of logs</c>.</summary>
    [Id(0)]
    public string Directory { get; }
}
