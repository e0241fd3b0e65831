using Orleans.Runtime;

namespace KawaOrleans;

/// <summary>What the store answers when it cannot do as asked.</summary>
[GenerateSerializer, Alias("kawa.error")]
public abstract class KawaException : OrleansException
{
    /// <summary>Creates the exception.</summary>
    protected KawaException(string message, Exception? inner = null)
        : base(message, inner!)
    {
    }

    /// <summary>True when the same call may succeed later, unchanged, and cannot have taken effect now.</summary>
    public virtual bool IsRetryable => false;
}
