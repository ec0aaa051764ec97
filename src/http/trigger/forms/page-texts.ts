// The texts of the pages of form sinks, in all languages that they speak.

export interface PageTexts {
  received: string;
  thanks: string;
  /** Before the id of the run or the request. */
  reference: string;
  notSent: string;
  /** By the code of the fault; `other` for the rest. */
  faults: Readonly<Record<string, string>> & { other: string };
  details: string;
  back: string;
  backHint: string;
}

export const DEFAULT_LANGUAGE = 'en';

export const PAGE_TEXTS: Readonly<Record<string, PageTexts>> = {
  en: {
    received: 'Your form was received',
    thanks: 'Thank you. You can close this page.',
    reference: 'Reference',
    notSent: 'Your form was not sent',
    faults: {
      invalid: 'The form could not be read.',
      unauthorized: 'The form may not be sent without a valid key.',
      forbidden: 'The form may not be sent from your network.',
      too_large: 'The form or one of its files is too large.',
      unsupported_media: 'The form came in a format that is not accepted.',
      unprocessable: 'Something in the form is missing or is not valid.',
      rate_limited: 'Too many forms were sent in a short time. Please wait a moment and try again.',
      unavailable: 'The form cannot be received at the moment. Please try again in a few minutes.',
      other: 'Something went wrong on the server. Please try again later.',
    },
    details: 'Details',
    back: 'Back to the form',
    backHint: 'The back button of your browser keeps what you entered.',
  },
  de: {
    received: 'Ihr Formular ist angekommen',
    thanks: 'Vielen Dank. Sie können diese Seite schließen.',
    reference: 'Kennung',
    notSent: 'Ihr Formular wurde nicht gesendet',
    faults: {
      invalid: 'Das Formular konnte nicht gelesen werden.',
      unauthorized: 'Das Formular darf nicht ohne gültigen Schlüssel gesendet werden.',
      forbidden: 'Das Formular darf nicht aus Ihrem Netz gesendet werden.',
      too_large: 'Das Formular oder eine seiner Dateien ist zu groß.',
      unsupported_media: 'Das Formular kam in einem Format, das nicht angenommen wird.',
      unprocessable: 'Eine Angabe im Formular fehlt oder ist nicht gültig.',
      rate_limited: 'Es wurden zu viele Formulare in kurzer Zeit gesendet. Bitte warten Sie einen Moment und versuchen Sie es erneut.',
      unavailable: 'Das Formular kann gerade nicht angenommen werden. Bitte versuchen Sie es in einigen Minuten erneut.',
      other: 'Auf dem Server ist ein Fehler aufgetreten. Bitte versuchen Sie es später erneut.',
    },
    details: 'Einzelheiten',
    back: 'Zurück zum Formular',
    backHint: 'Mit der Zurück-Taste Ihres Browsers bleiben Ihre Eingaben erhalten.',
  },
  fr: {
    received: 'Votre formulaire est bien arrivé',
    thanks: 'Merci. Vous pouvez fermer cette page.',
    reference: 'Référence',
    notSent: 'Votre formulaire n’a pas été envoyé',
    faults: {
      invalid: 'Le formulaire n’a pas pu être lu.',
      unauthorized: 'Le formulaire ne peut pas être envoyé sans une clé valable.',
      forbidden: 'Le formulaire ne peut pas être envoyé depuis votre réseau.',
      too_large: 'Le formulaire ou l’un de ses fichiers est trop volumineux.',
      unsupported_media: 'Le formulaire est arrivé dans un format qui n’est pas accepté.',
      unprocessable: 'Une information du formulaire manque ou n’est pas valable.',
      rate_limited: 'Trop de formulaires ont été envoyés en peu de temps. Veuillez patienter un instant, puis réessayer.',
      unavailable: 'Le formulaire ne peut pas être reçu pour le moment. Veuillez réessayer dans quelques minutes.',
      other: 'Une erreur est survenue sur le serveur. Veuillez réessayer plus tard.',
    },
    details: 'Détails',
    back: 'Retour au formulaire',
    backHint: 'Le bouton de retour de votre navigateur conserve votre saisie.',
  },
  es: {
    received: 'Hemos recibido su formulario',
    thanks: 'Gracias. Puede cerrar esta página.',
    reference: 'Referencia',
    notSent: 'Su formulario no se ha enviado',
    faults: {
      invalid: 'No se ha podido leer el formulario.',
      unauthorized: 'El formulario no se puede enviar sin una clave válida.',
      forbidden: 'El formulario no se puede enviar desde su red.',
      too_large: 'El formulario o uno de sus archivos es demasiado grande.',
      unsupported_media: 'El formulario ha llegado en un formato que no se acepta.',
      unprocessable: 'Falta un dato del formulario o no es válido.',
      rate_limited: 'Se han enviado demasiados formularios en poco tiempo. Espere un momento e inténtelo de nuevo.',
      unavailable: 'El formulario no se puede recibir en este momento. Inténtelo de nuevo en unos minutos.',
      other: 'Se ha producido un error en el servidor. Inténtelo de nuevo más tarde.',
    },
    details: 'Detalles',
    back: 'Volver al formulario',
    backHint: 'El botón de retroceso de su navegador conserva lo que ha escrito.',
  },
  it: {
    received: 'Il modulo è stato ricevuto',
    thanks: 'Grazie. Può chiudere questa pagina.',
    reference: 'Riferimento',
    notSent: 'Il modulo non è stato inviato',
    faults: {
      invalid: 'Non è stato possibile leggere il modulo.',
      unauthorized: 'Il modulo non può essere inviato senza una chiave valida.',
      forbidden: 'Il modulo non può essere inviato dalla Sua rete.',
      too_large: 'Il modulo o uno dei suoi file è troppo grande.',
      unsupported_media: 'Il modulo è arrivato in un formato non accettato.',
      unprocessable: 'Un dato del modulo manca o non è valido.',
      rate_limited: 'Sono stati inviati troppi moduli in poco tempo. Attenda un momento e riprovi.',
      unavailable: 'Al momento il modulo non può essere ricevuto. Riprovi tra qualche minuto.',
      other: 'Si è verificato un errore sul server. Riprovi più tardi.',
    },
    details: 'Dettagli',
    back: 'Torna al modulo',
    backHint: 'Il pulsante Indietro del browser conserva i dati inseriti.',
  },
  nl: {
    received: 'Uw formulier is ontvangen',
    thanks: 'Bedankt. U kunt deze pagina sluiten.',
    reference: 'Kenmerk',
    notSent: 'Uw formulier is niet verzonden',
    faults: {
      invalid: 'Het formulier kon niet worden gelezen.',
      unauthorized: 'Het formulier kan niet zonder geldige sleutel worden verzonden.',
      forbidden: 'Het formulier kan niet vanuit uw netwerk worden verzonden.',
      too_large: 'Het formulier of een van de bestanden is te groot.',
      unsupported_media: 'Het formulier kwam in een indeling die niet wordt geaccepteerd.',
      unprocessable: 'Een gegeven in het formulier ontbreekt of is niet geldig.',
      rate_limited: 'Er zijn in korte tijd te veel formulieren verzonden. Wacht even en probeer het opnieuw.',
      unavailable: 'Het formulier kan op dit moment niet worden ontvangen. Probeer het over een paar minuten opnieuw.',
      other: 'Er is een fout opgetreden op de server. Probeer het later opnieuw.',
    },
    details: 'Details',
    back: 'Terug naar het formulier',
    backHint: 'Met de terugknop van uw browser blijft uw invoer bewaard.',
  },
  pt: {
    received: 'O seu formulário foi recebido',
    thanks: 'Obrigado. Pode fechar esta página.',
    reference: 'Referência',
    notSent: 'O seu formulário não foi enviado',
    faults: {
      invalid: 'Não foi possível ler o formulário.',
      unauthorized: 'O formulário não pode ser enviado sem uma chave válida.',
      forbidden: 'O formulário não pode ser enviado a partir da sua rede.',
      too_large: 'O formulário ou um dos seus ficheiros é demasiado grande.',
      unsupported_media: 'O formulário chegou num formato que não é aceite.',
      unprocessable: 'Falta um dado do formulário ou não é válido.',
      rate_limited: 'Foram enviados demasiados formulários em pouco tempo. Aguarde um momento e tente novamente.',
      unavailable: 'De momento não é possível receber o formulário. Tente novamente dentro de alguns minutos.',
      other: 'Ocorreu um erro no servidor. Tente novamente mais tarde.',
    },
    details: 'Detalhes',
    back: 'Voltar ao formulário',
    backHint: 'O botão de retroceder do seu navegador mantém o que escreveu.',
  },
  pl: {
    received: 'Formularz został przyjęty',
    thanks: 'Dziękujemy. Można zamknąć tę stronę.',
    reference: 'Numer',
    notSent: 'Formularz nie został wysłany',
    faults: {
      invalid: 'Nie udało się odczytać formularza.',
      unauthorized: 'Formularza nie można wysłać bez ważnego klucza.',
      forbidden: 'Formularza nie można wysłać z tej sieci.',
      too_large: 'Formularz lub jeden z jego plików jest za duży.',
      unsupported_media: 'Formularz nadszedł w formacie, który nie jest przyjmowany.',
      unprocessable: 'W formularzu brakuje danych lub są one nieprawidłowe.',
      rate_limited: 'W krótkim czasie wysłano zbyt wiele formularzy. Proszę chwilę poczekać i spróbować ponownie.',
      unavailable: 'W tej chwili nie można przyjąć formularza. Proszę spróbować ponownie za kilka minut.',
      other: 'Na serwerze wystąpił błąd. Proszę spróbować później.',
    },
    details: 'Szczegóły',
    back: 'Powrót do formularza',
    backHint: 'Przycisk „wstecz” przeglądarki zachowuje wpisane dane.',
  },
};
