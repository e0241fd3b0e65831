using KawaOrleans.Tests.History;

namespace KawaOrleans.Faults.Tests.Replicas;

/// <summary>Follows a log from its first event on, and goes on behind the last one it saw whenever it is interrupted.</summary>
internal sealed class LoadReader(ILog log, History history)
{
    private readonly List<Guid> _seen = [];

    /// <summary>How often it was interrupted.</summary>
    public int Interruptions { get; private set; }

    public async Task RunAsync(CancellationToken stop)
    {
        while (!stop.IsCancellationRequested)
        {
            var (read, from) = (history.Read(_seen.Count), _seen.Count);
            try
            {
                await foreach (var e in log.ReadAsync(from, follow: true, stop))
                {
                    _seen.Add(e.Id);
                }
            }
            catch (OperationCanceledException) when (stop.IsCancellationRequested)
            {
                // It has seen enough.
            }
            catch (KawaException away) when (away.IsRetryable || away is DirectoryUnavailableException or SegmentFaultedException)
            {
                Interruptions++;
                await Task.Delay(TimeSpan.FromMilliseconds(50), CancellationToken.None);
            }

            history.Saw(read, _seen[from..], toTheEnd: false);
        }
    }
}
