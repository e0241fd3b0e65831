using System.Diagnostics;

namespace KawaOrleans.Faults.Tests.Importing;

/// <summary>Repeats calls that had no effect, or may be repeated, while silos come and go.</summary>
internal static class Patience
{
    public static readonly TimeSpan Limit = TimeSpan.FromSeconds(120);

    public static async Task<T> RunAsync<T>(Func<Task<T>> call)
    {
        for (var waited = Stopwatch.StartNew(); ;)
        {
            try
            {
                return await call();
            }
            catch (KawaException away) when ((away.IsRetryable || away is DirectoryUnavailableException) && waited.Elapsed < Limit)
            {
                await Task.Delay(TimeSpan.FromMilliseconds(100));
            }
        }
    }
}
