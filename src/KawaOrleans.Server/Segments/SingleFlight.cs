namespace KawaOrleans.Server.Segments;

/// <summary>Work that runs once for all who ask while it runs. For one scheduler only, such as a grain's.</summary>
internal sealed class SingleFlight<T>
{
    private Task<T>? _running;

    public async Task<T> Run(Func<Task<T>> work)
    {
        var running = _running ??= work();
        try
        {
            return await running;
        }
        finally
        {
            if (ReferenceEquals(_running, running))
            {
                _running = null;
            }
        }
    }
}
