namespace KawaOrleans.Faults.Tests.Soaking;

/// <summary>Follows a log from its first event on, whatever happens to the silos; goes on behind the last event it saw.</summary>
internal sealed class SoakReader(ILog log)
{
    private readonly List<string> _gaps = [];

    public LogDigest Digest { get; } = new();

    /// <summary>Events that were not the next ones.</summary>
    public IReadOnlyList<string> Gaps => _gaps;

    /// <summary>How often the log could not be read on.</summary>
    public int Interruptions { get; private set; }

    public async Task RunAsync(CancellationToken stop)
    {
        while (!stop.IsCancellationRequested)
        {
            try
            {
                await foreach (var e in log.ReadAsync(Digest.Count, follow: true, stop))
                {
                    if (Digest.Next(e) is { } gap)
                    {
                        _gaps.Add(gap);
                    }
                }
            }
            catch (OperationCanceledException) when (stop.IsCancellationRequested)
            {
                return;
            }
            catch (KawaException away) when (away.IsRetryable || away is DirectoryUnavailableException)
            {
                Interruptions++;
                await Task.Delay(TimeSpan.FromMilliseconds(100), CancellationToken.None);
            }
        }
    }
}
